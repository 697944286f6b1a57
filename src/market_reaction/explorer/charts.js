// Charts share one plotly, 5 MB, and wait for it when they are drawn: anywidget gives up on a model after two seconds.
function shared() {
  if (!globalThis.marketReactionPlotly) {
    const plotly = {};
    plotly.loaded = new Promise((resolve) => (plotly.load = resolve));
    globalThis.marketReactionPlotly = plotly;
  }
  return globalThis.marketReactionPlotly;
}

function initialize({ model }) {
  const source = model.get("source"); // only the library has one
  if (!source) return;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  shared().load(import(url).then(quiet).finally(() => URL.revokeObjectURL(url)));
}

// Python need not hear after each change which defaults plotly filled in; gathering them takes longer than the change.
function quiet(plotly) {
  const view = plotly.FigureView?.prototype ?? {};
  view._sendTraceDeltas = view._sendLayoutDelta = () => {};
  return plotly;
}

async function render({ model, el }) {
  if (model.get("source")) return;
  const figure = (await shared().loaded).default();
  figure.initialize({ model });
  return figure.render({ model, el });
}

export default { initialize, render };
