// The copy button. Where the page may not write to the clipboard, the code is selected instead.
function watchWidth(root) {
  let width = root.clientWidth;
  const observer = new ResizeObserver(() => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    window.dispatchEvent(new Event("resize")); // charts follow the window only, and a side bar moves the panel
  });
  observer.observe(root);
  return observer;
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
  const root = el.closest(".mr-explore");
  const observer = root ? watchWidth(root) : null;
  return () => observer?.disconnect();
}

export default { render };
