// Charts as SVG. Each is drawn as wide as it is shown, and has a table beside it that says the same.
const SVG = document.querySelector("svg").namespaceURI;
const HEIGHT = 200;
const EDGE = { left: 46, right: 18, top: 10, bottom: 24 };

function draw(name, attributes, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
}

// Round steps from 0 to what is at least `most`.
function steps(most) {
    const rough = Math.max(most, 1) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max(1, [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough));
    return Array.from({ length: Math.ceil(Math.max(most, 1) / step) + 1 }, (_, index) => index * step);
}

function short(number) {
    if (number < 10000) return number.toLocaleString("en");
    return number < 1e6 ? `${+(number / 1e3).toFixed(1)}k` : `${+(number / 1e6).toFixed(1)}M`;
}

function duration(ms) {
    if (ms < 1000) return `${ms} ms`;
    return ms < 60000 ? `${+(ms / 1000).toFixed(1)} s` : `${+(ms / 60000).toFixed(1)} min`;
}

const clock = (time) => time.slice(11, 16);

// `points`: one for each hour. `marks` draws them; `say` is what the line below tells of the one that is pointed at.
function chart({ title, id, legend, points, most, unit, marks, say, columns, row }) {
    const svg = draw("svg", { class: "chart", role: "img", tabindex: "0", "aria-labelledby": `${id}-title ${id}-said` });
    const readout = make("p", { className: "readout", id: `${id}-said` }, say(null));
    let chosen = null;
    function paint() {
        const width = Math.max(svg.clientWidth, 240);
        const ticks = steps(most);
        const top = ticks.at(-1);
        const slot = (width - EDGE.left - EDGE.right) / points.length;
        const scale = { slot, x: (index) => EDGE.left + index * slot, y: (value) => HEIGHT - EDGE.bottom - value / top * (HEIGHT - EDGE.top - EDGE.bottom) };
        const lines = ticks.flatMap((tick) => [
            draw("line", { class: tick === 0 ? "base" : "grid", x1: EDGE.left, x2: width - EDGE.right, y1: scale.y(tick), y2: scale.y(tick) }),
            draw("text", { x: EDGE.left - 6, y: scale.y(tick) + 4, "text-anchor": "end" }, unit(tick)),
        ]);
        const every = [1, 2, 3, 6, 12, 24].find((n) => n * slot >= 46) ?? 24;
        const hours = points.flatMap((point, index) => (points.length - 1 - index) % every !== 0 ? [] :
            [draw("text", { x: scale.x(index) + slot / 2, y: HEIGHT - 6, "text-anchor": "middle" }, clock(point.hour))]);
        const shade = chosen === null ? [] : [draw("rect", { class: "chosen", x: scale.x(chosen), y: EDGE.top, width: slot, height: HEIGHT - EDGE.top - EDGE.bottom })];
        svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
        svg.replaceChildren(...lines, ...hours, ...shade, ...marks(scale));
    }
    function choose(index) {
        if (index === chosen) return;
        chosen = index;
        readout.textContent = say(index === null ? null : points[index]);
        paint();
    }
    svg.addEventListener("pointermove", (event) => {
        const { left, width } = svg.getBoundingClientRect();
        const slot = (width - EDGE.left - EDGE.right) / points.length;
        const index = Math.floor((event.clientX - left - EDGE.left) / slot);
        choose(index >= 0 && index < points.length ? index : null);
    });
    svg.addEventListener("pointerleave", () => choose(null));
    svg.addEventListener("blur", () => choose(null));
    svg.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        choose(Math.min(Math.max((chosen ?? (step > 0 ? -1 : points.length)) + step, 0), points.length - 1));
    });
    new ResizeObserver(paint).observe(svg);
    const keys = make("ul", {}, ...legend.map(([name, key]) => make("li", { className: `key-${key}` }, name)));
    const details = make("details", {}, make("summary", {}, "As a table"), table(title, columns, points.map(row)));
    return make("figure", { id }, make("figcaption", {}, make("h3", { id: `${id}-title` }, title), keys), svg, readout, details);
}

// What stands on what, from the bottom, in one column.
function stacked(parts, { slot, x, y }, index) {
    const drawn = [];
    let below = 0;
    for (const [key, count] of parts) {
        if (count === 0) continue;
        const low = y(below);
        below += count;
        // What is there is seen, however little it is.
        const height = Math.max(low - y(below), 1.5);
        drawn.push(draw("rect", { class: key, x: x(index) + slot * 0.14, y: low - height, width: slot * 0.72, height }));
    }
    return drawn;
}

// A line through the points that have a value, broken where one has none.
function line(key, values, { slot, x, y }) {
    const at = (index) => [x(index) + slot / 2, y(values[index])];
    let path = "";
    const dots = [];
    values.forEach((value, index) => {
        if (value === null) return;
        const [left, top] = at(index);
        path += `${index > 0 && values[index - 1] !== null ? "L" : "M"}${left.toFixed(1)} ${top.toFixed(1)}`;
        dots.push(draw("circle", { class: key, cx: left, cy: top, r: 3 }));
    });
    return path === "" ? [] : [draw("path", { class: key, d: path }), ...dots];
}
