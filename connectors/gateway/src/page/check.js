// The check of a file: what POST v1/explain answers.
const list = (pairs, of) => pairs.map((pair) => of(pair)).join(", ");

function happened(event) {
    if (event.happened === null) return "";
    const zone = { stated: "", from_place: `zone of the place, ${event.time_zone}`, assumed: "no zone is known: taken as UTC" }[event.zone_quality] ?? event.zone_quality;
    return [make("span", { className: "time" }, event.happened.slice(0, 19).replace("T", " ")), zone && make("div", { className: "muted" }, zone)];
}

function more(event) {
    const lines = [
        [event.mode, event.vessel, event.voyage].filter(Boolean).join(" · "),
        list(event.references, ({ kind, value }) => `${kind} ${value}`),
        list(event.exceptions, ({ kind, value }) => `exception ${kind} ${value}`),
        list(event.quantities, ({ kind, value, unit }) => `${kind} ${value} ${unit}`),
        list(event.readings, ({ kind, value, unit }) => `${kind} ${value} ${unit}`),
        event.remark,
    ].filter(Boolean).map((text) => make("div", {}, text));
    const notes = event.notes.map(({ code, about, meaning }) => make("div", { className: "note" }, make("code", {}, code), about ? ` ${about}: ` : ": ", ...prose(meaning)));
    return [...lines, ...notes];
}

function understood(events) {
    const columns = [{ name: "#" }, { name: "Milestone" }, { name: "When (UTC)" }, { name: "Place" }, { name: "Shipment" }, { name: "Code" }, { name: "More, and what is odd" }];
    const rows = events.map((event) => [
        String(event.position),
        event.classifier === "actual" ? event.milestone : `${event.milestone} (${event.classifier})`,
        happened(event),
        [event.unlocode, event.place, event.country].filter(Boolean).join(", "),
        event.equipment || event.shipment,
        make("code", {}, event.raw_code),
        more(event)]);
    return make("div", { className: "wide" }, table("", columns, rows));
}

function wouldReject(rejects) {
    const columns = [{ name: "Part" }, { name: "Code" }, { name: "Where and what" }, { name: "What to do" }];
    const rows = rejects.map(({ position, code, detail, meaning, what_to_do }) => [
        position === 0 ? "all" : String(position), make("code", {}, code),
        [make("div", {}, detail), make("div", { className: "muted" }, ...prose(meaning))], prose(what_to_do)]);
    return make("div", { className: "wide" }, table("", columns, rows));
}

function formats(known) {
    return make("ul", {}, ...known.map(({ format, media_type }) => make("li", {}, `${format}: `, make("code", {}, media_type))));
}

function shown(name, found) {
    const parts = [];
    const add = (...elements) => parts.push(...elements);
    if (found.format === null) {
        add(make("p", {}, make("strong", {}, name), found.guessed ? " looks like none of the formats. If it is one, choose it above." : ` is sent as a type that no format is registered for.`));
        add(make("details", {}, make("summary", {}, `${found.tried.length} formats were tried`), formats(found.tried)));
    } else {
        add(make("p", {}, make("strong", {}, name), found.guessed ? " looks like " : " is read as ", found.format, ": ", make("code", {}, found.media_type), "."));
    }
    if (found.could_also_be.length > 0) add(make("p", {}, "It could also be:"), formats(found.could_also_be));
    add(make("p", {}, `${many(found.event_count, "event", "events")}, ${many(found.reject_count, "reject", "rejects")}, as if it were received at ${found.received.slice(0, 19).replace("T", " ")} UTC.`));
    if (found.rejects.length > 0) add(make("h3", {}, "Would be rejected"), wouldReject(found.rejects));
    if (found.events.length > 0) add(make("h3", {}, "Would be accepted"), understood(found.events));
    if (Math.max(found.event_count - found.events.length, found.reject_count - found.rejects.length) > 0) add(make("p", {}, "The first 500 are shown."));
    if (found.unmapped_codes.length > 0) add(make("p", {}, "Codes that nobody has mapped yet, kept as ", make("code", {}, "other"), ` (tell the operator what they mean): ${found.unmapped_codes.join(", ")}`));
    return parts;
}

// `body`: a file, or a text.
async function explain(name, body) {
    const most = Number(at("explain").dataset.most);
    const size = body instanceof Blob ? body.size : new Blob([body]).size;
    at("explained").hidden = true;
    if (size === 0) return say("check-state", `${name} is empty.`, true);
    if (size > most) return say("check-state", `${name} has ${size.toLocaleString("en")} bytes, and a message may have ${most.toLocaleString("en")}: split it.`, true);
    if (!sessionStorage.getItem(KEPT)) {
        at("enter").hidden = false;
        return say("check-state", "Enter your API key above first: private codes of yours count, too.", true);
    }
    say("check-state", `Reading ${name} …`);
    const { answer, wrong } = await ask("v1/explain", { method: "POST", body, headers: { "Content-Type": at("as").value || "application/octet-stream" } });
    if (wrong) return say("check-state", wrong, true);
    say("check-state", "");
    at("explained").replaceChildren(...shown(name, answer));
    at("explained").hidden = false;
    at("explained").focus({ preventScroll: true });
}

function checks() {
    const drop = at("drop");
    const file = (files) => { if (files.length > 0) explain(files[0].name, files[0]); };
    at("explain").addEventListener("submit", (event) => { event.preventDefault(); explain("The message", at("text").value); });
    at("file").addEventListener("change", () => { file(at("file").files); at("file").value = ""; });
    at("text").addEventListener("paste", (event) => {
        if (event.clipboardData.files.length > 0) { event.preventDefault(); file(event.clipboardData.files); }
    });
    // Beside the box a file would be opened in the page's place.
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
    drop.addEventListener("dragover", () => drop.classList.add("over"));
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
        drop.classList.remove("over");
        if (event.dataTransfer.files.length === 0) at("text").value = event.dataTransfer.getData("text/plain");
        file(event.dataTransfer.files);
    });
}
