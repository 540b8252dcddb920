// The board: what GET v1/status answers.
const sum = (counts) => counts.reduce((all, { rejects }) => all + rejects, 0);
const many = (count, one, more) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;
const codes = (counts) => counts.map(({ code, rejects }) => `${code} ${rejects.toLocaleString("en")}`).join(", ");
const span = (hour) => `${clock(hour)} to ${String((Number(hour.slice(11, 13)) + 1) % 24).padStart(2, "0")}:00`;

function tiles(status) {
    const share = status.accepted + status.rejected === 0 ? "" : ` ${(100 * status.rejected / (status.accepted + status.rejected)).toFixed(1)} % of what came`;
    const latency = status.latency_ms;
    const each = [
        ["accepted", "Accepted events", short(status.accepted), ""],
        ["rejected", "Rejected", short(status.rejected), share],
        ["duplicates", "Duplicates", short(status.duplicates), "copies, which change nothing"],
        ["latency", "Receipt to answer", latency ? duration(latency.p50) : "–", latency ? `median; 95 of 100 within ${duration(latency.p95)}` : "nothing was accepted"],
    ];
    return make("dl", { className: "tiles" }, ...each.map(([key, name, figure, more]) =>
        make("div", { className: `tile ${key}` }, make("dt", {}, name), make("dd", {}, figure, make("small", {}, more)))));
}

function eventsChart({ hours }) {
    const parts = (hour) => [["accepted", hour.accepted], ["duplicates", hour.duplicates], ["rejected", sum(hour.rejected)]];
    return chart({
        title: "Events by hour of receipt", id: "events-chart", points: hours, unit: short,
        legend: [["accepted", "accepted"], ["duplicates", "duplicates"], ["rejected", "rejected"]],
        most: Math.max(...hours.map((hour) => parts(hour).reduce((all, [, count]) => all + count, 0))),
        marks: (scale) => hours.flatMap((hour, index) => stacked(parts(hour), scale, index)),
        say: (hour) => !hour ? "Point at an hour, or use the arrow keys." :
            `${span(hour.hour)}: ${hour.accepted.toLocaleString("en")} accepted, ${many(hour.duplicates, "duplicate", "duplicates")}, ` +
            `${sum(hour.rejected).toLocaleString("en")} rejected${hour.rejected.length ? ` (${codes(hour.rejected)})` : ""}`,
        columns: [{ name: "Hour" }, { name: "Accepted", number: true }, { name: "Duplicates", number: true }, { name: "Rejected", number: true }, { name: "Codes" }],
        row: (hour) => [span(hour.hour), hour.accepted.toLocaleString("en"), hour.duplicates.toLocaleString("en"), sum(hour.rejected).toLocaleString("en"), codes(hour.rejected)],
    });
}

function latencyChart({ hours }) {
    const of = (hour, key) => hour.latency_ms ? hour.latency_ms[key] : null;
    const values = (key) => hours.map((hour) => of(hour, key));
    return chart({
        title: "From receipt to the answer", id: "latency-chart", points: hours, unit: duration,
        legend: [["median", "p50"], ["95 of 100 within", "p95"]],
        most: Math.max(...values("p95").map((value) => value ?? 0)),
        marks: (scale) => [...line("p95", values("p95"), scale), ...line("p50", values("p50"), scale)],
        say: (hour) => !hour ? "Point at an hour, or use the arrow keys." :
            !hour.latency_ms ? `${span(hour.hour)}: nothing was accepted` :
                `${span(hour.hour)}: median ${duration(of(hour, "p50"))}, 95 of 100 within ${duration(of(hour, "p95"))}`,
        columns: [{ name: "Hour" }, { name: "Median", number: true }, { name: "95 of 100 within", number: true }],
        row: (hour) => [span(hour.hour), hour.latency_ms ? duration(of(hour, "p50")) : "–", hour.latency_ms ? duration(of(hour, "p95")) : "–"],
    });
}

function byCode(counts) {
    const most = Math.max(...counts.map(({ rejects }) => rejects));
    return make("ul", { className: "codes" }, ...counts.map(({ code, stage, rejects, meaning, what_to_do }) => {
        const bar = draw("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
            draw("rect", { width: 100 * rejects / most, height: 8 }));
        const claimed = stage === "decrypt" ? make("p", { className: "muted" }, "Sent in your name, and not proven to be yours.") : null;
        return make("li", {},
            make("div", { className: "line" }, make("code", {}, code), make("strong", {}, rejects.toLocaleString("en")), bar), claimed,
            make("p", {}, ...prose(meaning)),
            make("p", {}, make("b", {}, "What to do: "), ...prose(what_to_do)));
    }));
}

function pill(status) {
    const known = ["accepted", "rejected"].includes(status) ? status : "other";
    return make("span", { className: `pill ${known}` }, status);
}

function what({ events, rejects }) {
    const said = rejects.map(({ position, code, detail, what_to_do }) => make("div", { className: "why" },
        position > 0 ? `part ${position}: ` : "", make("code", {}, code), detail === "" ? "" : `: ${detail}`,
        make("div", { className: "muted" }, "What to do: ", ...prose(what_to_do))));
    if (events.length > 0) {
        const { milestone, classifier, unlocode, equipment } = events[0];
        const first = [classifier === "actual" ? milestone : `${milestone} (${classifier})`, unlocode, equipment].filter(Boolean).join(" · ");
        said.unshift(make("div", {}, first, events.length > 1 ? ` and ${events.length - 1} more` : ""));
    }
    return said;
}

function messages(status) {
    if (status.messages.length === 0) return null;
    const columns = [{ name: "Received" }, { name: "Message" }, { name: "Status" }, { name: "What" }];
    const rows = status.messages.map((message) => [
        make("span", { className: "time" }, message.received?.slice(0, 19).replace("T", " ") ?? ""),
        make("code", {}, message.id), pill(message.status), what(message)]);
    return make("section", { id: "messages" }, make("h3", {}, "The last messages"),
        table("Copies are not among them. Times are UTC.", columns, rows));
}

// Rejects that good messages have crowded out of the list before.
function lastRejects(status) {
    const shown = new Set(status.messages.map(({ id }) => id));
    const others = status.rejects.filter(({ id }) => !shown.has(id));
    if (others.length === 0) return null;
    const columns = [{ name: "Received" }, { name: "Message" }, { name: "What" }];
    const rows = others.map((reject) => [
        make("span", { className: "time" }, reject.received.slice(0, 19).replace("T", " ")),
        make("code", {}, reject.id), what({ events: [], rejects: [reject] })]);
    return make("section", { id: "rejects" }, make("h3", {}, "Rejects before these"), table("", columns, rows));
}

function board(status) {
    const isEmpty = status.accepted + status.rejected + status.duplicates === 0;
    if (isEmpty) {
        return [make("p", { id: "empty" }, "Nothing of yours was received since ", clock(status.from), " yesterday. What you publish is here some seconds after.")];
    }
    return [
        tiles(status),
        make("div", { className: "pair" }, eventsChart(status), latencyChart(status)),
        ...(status.rejected_by_code.length > 0 ? [make("h3", {}, "Rejects by code"), byCode(status.rejected_by_code)] : []),
        messages(status), lastRejects(status),
    ].filter(Boolean);
}
