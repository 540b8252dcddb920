// Each status with what it says, and the names in its body.
function responses(operation) {
    const rows = Object.entries(operation.responses).map(([status, response]) => {
        const bodies = Object.entries(response.content ?? {}).map(([type, content]) => [make("code", {}, type), " ", shape(content.schema)]);
        return [status, prose(response.description), bodies.flat()];
    });
    return make("div", { className: "wide" }, table("", [{ name: "Status" }, { name: "Answer" }, { name: "Body" }], rows));
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
    const input = make("input", { placeholder: String(parameter.example ?? schema.example ?? schema.default ?? ""), required: Boolean(parameter.required), spellcheck: false });
    const where = `${parameter.in}${parameter.required ? ", needed" : ""}`;
    const label = make("label", {}, make("code", {}, parameter.name), " ", make("small", {}, where),
        parameter.description ? make("small", {}, ...prose(parameter.description)) : null, input);
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

function operation(path, method, described) {
    const fields = (described.parameters ?? []).map(field);
    const types = Object.keys(described.requestBody?.content ?? {});
    const type = types.length > 0 ? make("select", {}, ...types.map((name) => make("option", {}, name))) : null;
    const body = type ? make("textarea", { spellcheck: false }) : null;
    const shown = make("pre", { className: "answer", tabIndex: 0 });
    shown.setAttribute("aria-live", "polite");
    const button = make("button", { type: "button" }, "Send");
    button.addEventListener("click", () => send(request(method, path, fields, type, body), shown));
    return make("details", { className: "operation", id: described.operationId },
        make("summary", {}, make("span", { className: `method ${method}` }, method.toUpperCase()),
            make("code", { className: "path" }, path), make("span", { className: "about" }, described.summary ?? "")),
        described.description ? make("p", {}, ...prose(described.description)) : null,
        make("div", { className: "fields" }, ...fields.map(({ label }) => label)),
        type && make("label", { className: "body" }, "Content-Type", type),
        body && make("label", { className: "body" }, "Body ", make("small", {}, ...prose(described.requestBody.description)), body),
        button, shown, make("h3", {}, "Answers"), responses(described));
}

// Requests by their tag, in the order of the document.
function groups({ paths, tags }) {
    const all = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, described]) => ({ path, method, described })));
    return tags.map(({ name, description }) => make("section", { className: "group" },
        make("h2", {}, name), make("p", {}, ...prose(description)),
        ...all.filter(({ described }) => described.tags.includes(name)).map((one) => operation(one.path, one.method, one.described))));
}

async function main() {
    const operations = document.getElementById("operations");
    try {
        const described = await (await fetch("openapi.json")).json();
        document.getElementById("about").replaceChildren(...prose(described.info.description));
        operations.replaceChildren(...groups(described));
        // A link to one request opens it.
        const linked = document.getElementById(location.hash.slice(1));
        if (linked?.matches("details")) { linked.open = true; linked.scrollIntoView(); }
    } catch (error) {
        operations.textContent = `The document could not be read: ${error}`;
    }
}

main();
