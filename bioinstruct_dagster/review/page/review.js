"use strict";
// One judgement is kept under one key of localStorage, so that a reload, a crash or a new page with
// more rows loses none. The key names reviewer and item; an item is a row with its texts.
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const STORE = "bioinstruct-review";
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_ .'-]{0,39}$/u;
const SEEN = new Set(); // items whose verdict has been shown
let rows = [];          // the items that this reviewer is asked about
let mine = new Map();   // judgements of this reviewer by item
let history = [];       // for undo: item and the judgement before
let place = 0;
let asksReason = false;
let stored = true;

const draftOf = (reviewer, item) => `${STORE}-draft:${reviewer}:${item}`;
const seenOf = (reviewer, item) => `${STORE}-seen:${reviewer}:${item}`;
const keyOf = (reviewer, item) => `${STORE}:${reviewer}:${item}`;
const reviewer = () => at("reviewer").value.trim();
const say = (text) => { at("message").textContent = text; };
const words = (name) => name.replaceAll("_", " ");

function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch (error) { stored = false; }
  if (!stored) say("This browser keeps nothing. Export your judgements before you close the page.");
}

function recall(name) {
  try { return localStorage.getItem(name); } catch (error) { stored = false; return null; }
}

function start() {
  const name = reviewer();
  remember(`${STORE}-reviewer`, name);
  mine = new Map();
  history = [];
  SEEN.clear();
  for (const item of data.items) {
    const found = name && recall(keyOf(name, item.id));
    if (found) mine.set(item.id, JSON.parse(found));
    if (found || (name && recall(seenOf(name, item.id)))) SEEN.add(item.id);
  }
  // Rows of a handed-in file are not asked again. First come disputes, then rows that nobody has
  // judged, then rows for a second reading.
  const turn = (item) => (item.disputed ? 0 : item.judged_by.length ? 2 : 1);
  rows = data.items.filter((item) => !item.judged_by.includes(name) || mine.has(item.id));
  rows = rows.map((item, n) => [turn(item), n, item]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map((entry) => entry[2]);
  place = Math.max(0, rows.findIndex((item) => !mine.has(item.id)));
  show();
}

function show() {
  const item = rows[place];
  const done = rows.filter((one) => mine.has(one.id)).length;
  at("progress").max = rows.length || 1;
  at("progress").value = done;
  at("count").textContent = `${done} of ${rows.length} rows judged`;
  at("row").hidden = at("answers").hidden = !item;
  ask(false);
  if (!item) { say("There is no row to judge."); return; }
  at("place").textContent = `Row ${place + 1} of ${rows.length}`
    + (item.disputed ? " (reviewers contradict each other)" : item.judged_by.length ? " (second reading)" : "");
  for (const name of ["instruction", "input", "output"]) {
    at(name).textContent = item[name] || "(empty)";
  }
  at("near").hidden = !item.near;
  at("near-what").textContent = item.near ? `Compared text: ${item.near.what}` : "";
  at("near-text").textContent = item.near ? item.near.text : "";
  const judgement = mine.get(item.id);
  at("comment").value = judgement ? judgement.comment : recall(draftOf(reviewer(), item.id)) || "";
  at("mine").textContent = judgement ? `Your judgement: ${told(judgement)}` : "";
  verdict(item, judgement, "");
}

function told(judgement) {
  return [judgement.decision, judgement.category, judgement.reason].filter(Boolean).map(words).join(", ");
}

// The verdict is hidden until the row is judged, so that it leads nobody. It has then been shown,
// also if the judgement is undone.
function verdict(item, judgement, before) {
  if (judgement) SEEN.add(item.id);
  at("verdict").textContent = judgement
    ? `${before}${item.verdict} You: ${told(judgement)}.`
    : SEEN.has(item.id)
      ? "The page has shown it after the judgement that you undid. A new judgement is marked as changed after it."
      : "Hidden until you have judged the row.";
}

function judge(decision, category, reason) {
  const item = rows[place];
  if (!item) return;
  if (!NAME.test(reviewer())) {
    say("Write your name or initials first (letters, digits, blanks, dots).");
    at("reviewer").focus();
    return;
  }
  put(item, {
    item_id: item.id, reviewer: reviewer(), decision, category, reason,
    comment: at("comment").value.trim(), judged_at: new Date().toISOString(),
    changed_after_verdict: SEEN.has(item.id),
  });
  remember(draftOf(reviewer(), item.id), null);
  say("");
  at("comment").blur();
  const here = rows.findIndex((one, n) => n > place && !mine.has(one.id));
  const next = here >= 0 ? here : rows.findIndex((one) => !mine.has(one.id));
  if (next < 0) { show(); say("All rows are judged. Export the file and hand it in."); return; }
  place = next;
  show();
  verdict(item, mine.get(item.id), "The row before: ");
  window.scrollTo(0, 0);
}

function put(item, judgement) {
  history.push([item.id, mine.get(item.id) || null]);
  set(item.id, judgement);
}

function set(id, judgement) {
  if (judgement) mine.set(id, judgement); else mine.delete(id);
  remember(keyOf(reviewer(), id), judgement && JSON.stringify(judgement));
}

function undo() {
  const last = history.pop();
  if (!last) { say("There is nothing to undo."); return; }
  // The comment stays: only the judgement is taken back.
  const undone = mine.get(last[0]);
  const kept = undone ? undone.comment : "";
  set(last[0], last[1] && { ...last[1], comment: kept });
  if (!last[1]) {
    remember(draftOf(reviewer(), last[0]), kept || null);
    remember(seenOf(reviewer(), last[0]), "1"); // also after a reload
  }
  place = rows.findIndex((item) => item.id === last[0]);
  show();
  say("The last judgement is undone. Its comment is kept.");
}

function ask(open) {
  asksReason = open;
  at("reasons").hidden = !open;
  at("reject").setAttribute("aria-expanded", String(open));
}

function move(by) {
  place = Math.min(rows.length - 1, Math.max(0, place + by));
  show();
}

// A comment is kept while it is written, also before the row is judged.
function comment() {
  const item = rows[place];
  const judgement = mine.get(item.id);
  if (judgement) set(item.id, { ...judgement, comment: at("comment").value.trim() });
  else remember(draftOf(reviewer(), item.id), at("comment").value || null);
}

// Export and import

function judgements() {
  return data.items.filter((item) => mine.has(item.id)).map((item) => mine.get(item.id));
}

function save(text, kind, ending) {
  if (!mine.size) { say("There is no judgement to export yet."); return; }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = `review-${reviewer().replace(/[^\p{L}\p{N}]+/gu, "-")}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(`${mine.size} judgements are in the file ${link.download}.`);
}

function cell(value) {
  const text = value === null ? "" : String(value);
  return `"${(/^[=+\-@\t]/.test(text) ? "'" : "") + text.replaceAll('"', '""')}"`;
}

function asJson() {
  return `[\n${judgements().map((one) => JSON.stringify(one)).join(",\n")}\n]\n`;
}

function asCsv() {
  const lines = judgements().map((one) => data.fields.map((name) => cell(one[name])).join(","));
  return `\ufeff${[data.fields.join(","), ...lines].join("\r\n")}\r\n`;
}

function fromCsv(text) {
  const separator = [",", ";", "\t"].find((one) => text.split(/\r?\n/, 1)[0].includes(one)) || ",";
  const lines = [[""]];
  let quoted = false;
  for (let n = 0; n < text.length; n += 1) {
    const line = lines[lines.length - 1];
    const sign = text[n];
    if (sign === '"' && quoted && text[n + 1] === '"') { line[line.length - 1] += '"'; n += 1; }
    else if (sign === '"') quoted = !quoted;
    else if (sign === separator && !quoted) line.push("");
    else if (sign === "\n" && !quoted) lines.push([""]);
    else if (sign !== "\r" || quoted) line[line.length - 1] += sign;
  }
  const names = lines.shift();
  return lines.filter((line) => line.length === names.length).map((line) => Object.fromEntries(
    names.map((name, n) => [name, line[n].replace(/^'(?=[=+\-@\t])/, "")])));
}

function fromText(text) {
  const plain = text.replace(/^\ufeff/, "");
  if (/^\s*\[/.test(plain)) return JSON.parse(plain);
  if (/^\s*\{/.test(plain)) return plain.trim().split("\n").map((line) => JSON.parse(line));
  return fromCsv(plain);
}

function take(text, file) {
  let found;
  try { found = fromText(text).filter((one) => one.decision); } catch (error) {
    say(`${file} can't be read: ${error.message}`);
    return;
  }
  const names = [...new Set(found.map((one) => one.reviewer).filter(Boolean))];
  if (!reviewer() && names.length === 1) { at("reviewer").value = names[0]; start(); }
  if (names.some((name) => name !== reviewer()) || !reviewer()) {
    say(`${file} holds judgements by ${names.join(", ") || "nobody"}, and you are ${reviewer() || "nobody yet"}. Nothing was imported.`);
    return;
  }
  const known = new Map(data.items.map((item) => [item.id, item]));
  let imported = 0;
  for (const one of found) {
    const before = mine.get(one.item_id);
    if (known.has(one.item_id) && data.decisions.includes(one.decision)
        && !(before && before.judged_at >= (one.judged_at || ""))) {
      set(one.item_id, {
        item_id: one.item_id, reviewer: reviewer(), decision: one.decision,
        category: one.category || null, reason: one.reason || null, comment: one.comment || "",
        judged_at: one.judged_at || null, changed_after_verdict: String(one.changed_after_verdict) === "true",
      });
      imported += 1;
    }
  }
  start();
  say(`${imported} of ${found.length} judgements of ${file} were imported. The others are older, or of rows that this page does not show.`);
}

// Buttons and keys

function button(parent, key, text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.append(Object.assign(document.createElement("kbd"), { textContent: key }), ` ${text}`);
  made.addEventListener("click", action);
  at(parent).append(made);
}

data.categories.forEach((name, n) => {
  button("categories", String(n + 1), words(name), () => judge("accept", name, null));
});
data.reasons.forEach((reason, n) => {
  button("reason-buttons", String(n + 1), reason.text, () => judge("reject", null, reason.name));
});
const actions = {
  a: ["accept", () => judge("accept", null, null)],
  r: ["reject", () => ask(!asksReason)],
  u: ["unsure", () => judge("unsure", null, null)],
  n: ["next", () => move(1)],
  p: ["previous", () => move(-1)],
  o: ["open", () => { const n = rows.findIndex((one) => !mine.has(one.id)); if (n >= 0) { place = n; show(); } }],
  z: ["undo", undo],
};
for (const [id, action] of Object.values(actions)) at(id).addEventListener("click", action);
at("export-json").addEventListener("click", () => save(asJson(), "application/json", "json"));
at("export-csv").addEventListener("click", () => save(asCsv(), "text/csv", "csv"));
at("import").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) file.text().then((text) => take(text, file.name));
  event.target.value = "";
});
at("reviewer").addEventListener("change", start);
at("comment").addEventListener("input", comment);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("textarea, input:not([type=checkbox])");
  if (typing) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.id === "reviewer")) event.target.blur();
    return;
  }
  if (event.key === "Escape") { ask(false); return; }
  if (!at("keys").checked) return;
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
  const name = { ArrowRight: "n", ArrowLeft: "p" }[event.key] || event.key.toLowerCase();
  if (number >= 0 && asksReason && data.reasons[number]) judge("reject", null, data.reasons[number].name);
  else if (number >= 0 && !asksReason && data.categories[number]) judge("accept", data.categories[number], null);
  else if (name === "c") at("comment").focus();
  else if (actions[name]) actions[name][1]();
  else return;
  event.preventDefault();
});

at("reviewer").value = recall(`${STORE}-reviewer`) || "";
start();
