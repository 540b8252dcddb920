// The key is kept in this tab alone. The part of a link behind # never goes to a server; it does not stay in the
// address bar either.
const KEPT = "waybill.key";
const AGAIN_MS = 60000;
const at = (id) => document.getElementById(id);
let next = 0;

function keyOfLink() {
    const key = new URLSearchParams(location.hash.slice(1)).get("key");
    if (!key) return false;
    history.replaceState(null, "", location.pathname + location.search);
    sessionStorage.setItem(KEPT, key.trim());
    return true;
}

// An answer of the gateway, or what to say instead, and after how many seconds to ask again.
async function ask(path, request) {
    const key = sessionStorage.getItem(KEPT);
    const headers = { ...request?.headers, ...(key ? { "X-API-Key": key } : {}) };
    let response;
    try {
        response = await fetch(path, { ...request, headers, cache: "no-store", credentials: "same-origin" });
    } catch {
        return { wrong: "The gateway does not answer.", again: 15 };
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return { answer };
    const again = Number(response.headers.get("retry-after")) || 0;
    const said = {
        unauthenticated: "This key does not count: it is unknown, expired or taken back. Ask the operator for another one.",
        answers_unavailable: "What became of your events cannot be looked up right now. Events are taken in all the same.",
        rate_limited: "More was asked than may be at a time.",
        overloaded: "The gateway is busy.",
    }[answer.code] ?? `${answer.title ?? "The gateway failed"}${answer.detail ? `: ${answer.detail}` : "."}`;
    const wait = again > 0 ? ` Again in ${again} s.` : "";
    return { wrong: said + wait, code: answer.code, again };
}

function say(id, text, isWrong) {
    at(id).textContent = text;
    at(id).classList.toggle("wrong", Boolean(isWrong));
}

function close() {
    clearTimeout(next);
    for (const id of ["figures", "who", "refresh"]) at(id).hidden = true;
    at("figures").replaceChildren();
    at("updated").textContent = "";
    at("enter").hidden = false;
}

async function open() {
    clearTimeout(next);
    const key = sessionStorage.getItem(KEPT);
    at("enter").hidden = Boolean(key);
    if (!key) return close();
    at("refresh").disabled = true;
    if (at("figures").hidden) say("state", "Looking up your last day …");
    const { answer, wrong, code, again } = await ask("v1/status?hours=24");
    at("refresh").disabled = false;
    if (key !== sessionStorage.getItem(KEPT)) return;
    if (wrong) {
        say("state", wrong, true);
        if (["unauthenticated", "forbidden"].includes(code)) {
            close();
            if (code === "unauthenticated") sessionStorage.removeItem(KEPT);
            return;
        }
    } else {
        say("state", "");
        at("carrier").textContent = answer.carrier_name || answer.carrier;
        for (const id of ["figures", "who", "refresh"]) at(id).hidden = false;
        at("updated").textContent = `as of ${answer.to.slice(11, 19)} UTC`;
        // While a chart is pointed at or a table read, it stays.
        if (!at("figures").contains(document.activeElement)) at("figures").replaceChildren(...board(answer));
    }
    next = setTimeout(() => document.hidden ? undefined : open(), again > 0 ? again * 1000 : AGAIN_MS);
}

function main() {
    keyOfLink();
    for (const id of ["explain", "enter"]) at(id).hidden = false;
    addEventListener("hashchange", () => { if (keyOfLink()) open(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) open(); });
    at("refresh").addEventListener("click", open);
    at("forget").addEventListener("click", () => { sessionStorage.removeItem(KEPT); say("state", ""); close(); at("explained").hidden = true; at("key-field").focus(); });
    at("enter").addEventListener("submit", (event) => {
        event.preventDefault();
        sessionStorage.setItem(KEPT, at("key-field").value.trim());
        at("key-field").value = "";
        open();
    });
    checks();
    open();
}

main();
