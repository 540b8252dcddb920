"use strict";

// An element with its text or children: text never becomes markup.
function make(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children.filter((child) => child !== undefined && child !== null));
    return element;
}

// Each status with what it says, and the names in its body.
function responses(document_, operation) {
    const table = make("table", {}, make("tr", {}, make("th", {}, "status"), make("th", {}, "answer"), make("th", {}, "body")));
    for (const [status, response] of Object.entries(operation.responses)) {
        const bodies = Object.entries(response.content ?? {}).map(([type, content]) => type + " " + shape(content.schema));
        table.append(make("tr", {}, make("td", {}, status), make("td", {}, response.description), make("td", {}, bodies.join(", "))));
    }
    return table;
}

// A schema's name, or what it is.
function shape(schema) {
    if (!schema) return "";
    if (schema.$ref) return schema.$ref.split("/").pop();
    if (schema.allOf) return schema.allOf.map(shape).filter(Boolean).join(", ");
    if (schema.items) return "[" + shape(schema.items) + "]";
    return schema.properties ? "" : String(schema.type ?? "");
}

function field(parameter) {
    const schema = parameter.schema ?? {};
    const input = make("input", { placeholder: String(parameter.example ?? schema.example ?? schema.default ?? "") });
    const about = parameter.description ? ": " + parameter.description : "";
    const label = make("label", {}, make("code", {}, parameter.name), ` (${parameter.in}${parameter.required ? ", needed" : ""})${about}`, input);
    return { parameter, input, label };
}

// The request as the fields say it.
function request(method, path, fields, type, body) {
    let address = path;
    const query = new URLSearchParams();
    const headers = {};
    for (const { parameter, input } of fields) {
        if (input.value === "") continue;
        if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
        if (parameter.in === "query") query.set(parameter.name, input.value);
        if (parameter.in === "header") headers[parameter.name] = input.value;
    }
    const key = document.getElementById("key").value.trim();
    if (key !== "") headers["X-API-Key"] = key;
    if (type) headers["Content-Type"] = type.value;
    const search = query.size > 0 ? "?" + query : "";
    // Addresses of the document begin where the gateway is; a proxy may have put it under a prefix.
    const base = new URL(location.href).pathname.replace(/\/v1\/docs\/?$/, "");
    return [base + address + search, { method: method.toUpperCase(), headers, body: body?.value, cache: "no-store" }];
}

async function send(asked, shown) {
    shown.textContent = "…";
    try {
        const response = await fetch(...asked);
        const text = await response.text();
        const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
        let body = text;
        if (/json/.test(response.headers.get("content-type") ?? "")) {
            try { body = JSON.stringify(JSON.parse(text), null, 2); } catch { /* shown as it came */ }
        }
        shown.textContent = `${response.status} ${response.statusText}\n${headers}\n\n${body}`;
    } catch (error) {
        shown.textContent = `no answer: ${error}`;
    }
}

function operation(document_, path, method, described) {
    const fields = (described.parameters ?? []).map(field);
    const types = Object.keys(described.requestBody?.content ?? {});
    const type = types.length > 0 ? make("select", {}, ...types.map((name) => make("option", {}, name))) : null;
    const body = type ? make("textarea", { spellcheck: false }) : null;
    const shown = make("pre", {});
    const button = make("button", { type: "button" }, "Send");
    button.addEventListener("click", () => send(request(method, path, fields, type, body), shown));
    return make("details", {},
        make("summary", {}, make("code", {}, `${method.toUpperCase()} ${path}`), ` ${described.summary ?? ""}`),
        make("p", {}, described.description ?? ""),
        ...fields.map(({ label }) => label),
        type && make("label", {}, "Content-Type", type),
        body && make("label", {}, described.requestBody.description ?? "Body", body),
        button, shown, responses(document_, described));
}

async function main() {
    const operations = document.getElementById("operations");
    try {
        const described = await (await fetch("openapi.json")).json();
        document.getElementById("about").textContent = described.info.description;
        const each = Object.entries(described.paths).flatMap(([path, methods]) =>
            Object.entries(methods).map(([method, one]) => operation(described, path, method, one)));
        operations.replaceChildren(...each);
    } catch (error) {
        operations.textContent = `The document could not be read: ${error}`;
    }
}

main();
