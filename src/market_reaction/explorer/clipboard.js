// The copy button, and what else only the page can do. Where it may not write to the clipboard, the code is selected.
function settleIn(root) {
  const follow = () => window.dispatchEvent(new Event("resize")); // charts follow the window only
  let width = root.clientWidth;
  const observer = new ResizeObserver(() => {
    if (root.clientWidth === width) return; // a side bar was opened or closed
    width = root.clientWidth;
    follow();
  });
  observer.observe(root);
  root.addEventListener("focusin", keepKeys);
  document.addEventListener("plotlywidget-after-render", follow); // a chart may be drawn before the columns are laid out
  return () => {
    observer.disconnect();
    root.removeEventListener("focusin", keepKeys);
    document.removeEventListener("plotlywidget-after-render", follow);
  };
}

// JupyterLab takes the arrow and enter keys of what is no text field for the notebook, unless told not to.
function keepKeys(event) {
  if (event.target.matches("select, button, summary, input[type=checkbox]")) {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  }
}

function render({ model, el }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jupyter-widgets jupyter-button widget-button";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const refresh = () => {
    button.textContent = model.get("label");
    button.disabled = !model.get("text");
    said.textContent = "";
  };
  const copy = async () => {
    const text = model.get("text");
    let how = "copied";
    try {
      await navigator.clipboard.writeText(text);
    } catch (refused) {
      const area = el.closest(".mr-explore")?.querySelector(".mr-explore-code textarea");
      if (area) {
        area.focus();
        area.select();
      }
      how = area && document.execCommand("copy") ? "copied" : "selected";
    }
    said.textContent = how === "copied" ? "Copied." : "Selected: press Ctrl+C (Cmd+C) to copy.";
    model.set("outcome", how);
    model.save_changes();
  };
  button.addEventListener("click", copy);
  model.on("change:text", refresh);
  model.on("change:label", refresh);
  refresh();
  el.append(button, said);
  let leave = () => {};
  const settle = () => {
    const root = el.closest(".mr-explore");
    if (root) leave = settleIn(root);
    else if (!el.isConnected) requestAnimationFrame(settle); // drawn before it is on the page
  };
  settle();
  return () => leave();
}

export default { render };
