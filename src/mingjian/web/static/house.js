// Draws charts from the data beside them. Nothing else needs a script, and each chart has its table for whoever has none.
"use strict";

(() => {
  const look = getComputedStyle(document.documentElement);
  const colour = (name) => look.getPropertyValue(`--${name}`).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  const theme = () => ({
    color: [colour("link"), colour("accent"), colour("calm"), colour("attention"), colour("muted")],
    textStyle: { fontFamily: colour("sans"), color: colour("ink") },
    animation: !still,
    animationDuration: 400,
    // Tooltips are drawn: one made of markup would need styles that the page forbids.
    tooltip: { renderMode: "richText", confine: true },
    aria: { enabled: true, decal: { show: true } },
  });

  const draw = (figure) => {
    const canvas = figure.querySelector(".canvas");
    const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    figure.classList.add("drawn");
    figure.querySelector("details")?.removeAttribute("open");
    const label = canvas.getAttribute("aria-label");
    const chart = echarts.init(canvas, null, { renderer: "canvas" });
    const base = theme();
    chart.setOption({ ...base, ...data, tooltip: { ...base.tooltip, ...data.tooltip }, aria: { ...base.aria, ...data.aria } });
    canvas.setAttribute("aria-label", label); // ours says what it means; the library's would list it
    new ResizeObserver(() => chart.resize()).observe(canvas);
    if (data.links) chart.on("click", (event) => data.links[event.dataIndex] && location.assign(data.links[event.dataIndex]));
  };

  addEventListener("DOMContentLoaded", () => {
    if (window.echarts) document.querySelectorAll("figure[data-chart]").forEach(draw);
  });
  addEventListener("beforeprint", () => document.querySelectorAll(".tree details").forEach((one) => (one.open = true)));
})();
