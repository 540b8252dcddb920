// An element with its text or children: text never becomes markup.
function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children.filter((child) => child !== undefined && child !== null));
    return element;
}

// Texts of our documents have names in back quotes, and links.
function prose(text) {
    const plain = (text ?? "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    return plain.split("`").map((part, index) => index % 2 === 1 ? make("code", {}, part) : part);
}

// A table by columns, which on a small screen is a list.
function table(caption, columns, rows) {
    const head = make("tr", {}, ...columns.map(({ name, number }) =>
        make("th", { scope: "col", className: number ? "number" : "" }, name)));
    const body = rows.map((cells) => make("tr", {}, ...cells.map((cell, index) => {
        const { name, number } = columns[index];
        const made = make("td", { className: number ? "number" : "" }, ...[cell].flat());
        made.dataset.column = name;
        return made;
    })));
    return make("table", { className: "cards" }, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
}
