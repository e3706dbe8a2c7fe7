// What the page does better with script. Without it every link and form works as it stands.
"use strict";

const live = document.getElementById("live");
const say = (text) => { live.textContent = text; };

// Moments are told in the reader's own time zone as well; days stay UTC days.
for (const time of document.querySelectorAll("time[data-local]")) {
  const at = new Date(time.dateTime);
  const told = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  if (!Number.isNaN(at.getTime())) time.title = `${told.format(at)} here`;
}

// Numbers are grouped as the reader's browser does it; the server groups by narrow spaces.
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 20 });
const GROUPED = /\d{1,3}(?:\u202f\d{3})+(?:\.\d+)?/g;
const regroup = (text) => number.format(text.replaceAll("\u202f", ""));

function localize(place) {
  const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const alone = node.data.trim();
    if (/^\d+\.\d+$/.test(alone) && node.parentElement.closest(".number, .cards dd")) node.data = regroup(alone);
    else if (node.data.includes("\u202f")) node.data = node.data.replace(GROUPED, regroup);
  }
}
localize(document.getElementById("main"));

// A user's detail opens over the list; the address is that of the page of its own.
const over = document.getElementById("over");
let opener = null;

async function open(link) {
  opener = link;
  link.classList.add("busy");
  try {
    const answer = await fetch(link.href, { credentials: "same-origin" });
    const text = await answer.text();
    const found = new DOMParser().parseFromString(text, "text/html");
    const detail = found.getElementById("detail") || found.querySelector("main");
    if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status));
    const inside = document.createElement("div");
    inside.className = "inside";
    inside.append(document.adoptNode(detail));
    const close = document.createElement("div");
    close.className = "close";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Close";
    button.addEventListener("click", () => over.close());
    close.append(button);
    localize(inside);
    over.replaceChildren(close, inside);
    over.setAttribute("aria-labelledby", "detail-title");
    over.showModal();
    (over.querySelector("#detail-title") || button).focus();
  } catch {
    window.location.assign(link.href);
  } finally {
    link.classList.remove("busy");
  }
}

over.addEventListener("close", () => {
  over.replaceChildren();
  if (opener) opener.focus();
});
over.addEventListener("click", (event) => { if (event.target === over) over.close(); });
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-over]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link);
});

// The bar under the list says what is ticked, and offers what fits it first.
const seats = document.getElementById("seats");
const actions = document.getElementById("actions");
if (seats && actions) {
  const told = actions.querySelector("[data-selected]");
  const buttons = [...actions.querySelectorAll("button[name=kind]")];
  const boxes = () => [...seats.querySelectorAll("input[name=seat]:checked")];
  const every = actions.querySelector("input[name=all]");
  const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;
  const update = () => {
    const ticked = boxes();
    const users = new Set(ticked.map((box) => {
      const seat = JSON.parse(box.value);
      return seat.user_id || seat.hashed_user_id;
    })).size;
    const flex = ticked.length && ticked.every((box) => box.dataset.advice === "switch_to_flex");
    if (every.checked) told.textContent = every.parentElement.textContent.trim();
    else if (!ticked.length) told.textContent = "Tick seats to take back or to move to flex.";
    else told.textContent = `${plural(users, "user")}, ${plural(ticked.length, "seat")} selected`;
    for (const button of buttons) {
      button.disabled = !ticked.length && !every.checked;
      if (flex) button.classList.toggle("quiet", button.value !== "move-to-flex");
    }
    if (flex) buttons.sort((a, b) => (b.value === "move-to-flex") - (a.value === "move-to-flex")).forEach((b) => actions.append(b));
    say(told.textContent);
  };
  seats.addEventListener("change", update);
  update();
  say("");
}

// One open menu at a time; Escape closes it and gives the focus back.
const menus = "details.menu, details.choice";
document.addEventListener("toggle", (event) => {
  if (!event.target.matches(menus) || !event.target.open) return;
  for (const other of document.querySelectorAll(menus)) if (other !== event.target && !other.contains(event.target)) other.open = false;
}, true);
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest && event.target.closest(menus);
  if (!menu || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(`:is(${menus})[open]`)) if (!menu.contains(event.target)) menu.open = false;
});

// A long export is fetched here, to tell how far it is; a short one is left to the browser.
const LONG_ROWS = 5000;
const exporting = document.getElementById("exporting");
let underWay = false;

async function fetchExport(link, rows) {
  const [bar, told, cancel] = exporting.children;
  const stop = new AbortController();
  const began = Date.now();
  let bytes = 0;
  let lines = 0;
  underWay = true;
  const tell = () => {
    const seconds = Math.round((Date.now() - began) / 1000);
    const size = `${number.format(Math.round(bytes / 10485.76) / 100)} MiB`;
    const done = bar.hasAttribute("value") ? `${Math.floor(100 * bar.value)} %, ` : "";
    told.textContent = bytes ? `${link.textContent}: ${done}${size} after ${seconds} s` : `${link.textContent}: being made, ${seconds} s`;
  };
  cancel.onclick = () => stop.abort();
  bar.removeAttribute("value");
  exporting.hidden = false;
  say(`The export has begun: ${link.textContent}.`);
  const clock = setInterval(tell, 500);
  tell();
  try {
    const answer = await fetch(link.href, { credentials: "same-origin", signal: stop.signal });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const type = answer.headers.get("Content-Type");
    // Text has a row a line, or nearly: that tells how much of it is here.
    const counted = /csv|ndjson/.test(type);
    const parts = [];
    for (let reader = answer.body.getReader(), read; !(read = await reader.read()).done;) {
      parts.push(read.value);
      bytes += read.value.length;
      if (!counted) continue;
      for (let at = read.value.indexOf(10); at >= 0; at = read.value.indexOf(10, at + 1)) lines += 1;
      bar.value = Math.min(lines / rows, 1);
    }
    const file = document.createElement("a");
    file.href = URL.createObjectURL(new Blob(parts, { type }));
    [, file.download] = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"));
    file.click();
    setTimeout(() => URL.revokeObjectURL(file.href), 60000);
    tell();
    told.textContent += ": done";
  } catch (error) {
    told.textContent = stop.signal.aborted ? "The export was cancelled." : `The export failed: ${error.message || "the connection was lost"}. Try it again.`;
  } finally {
    underWay = false;
    clearInterval(clock);
    cancel.onclick = () => { exporting.hidden = true; };
    cancel.textContent = "Close";
    say(told.textContent);
  }
}

for (const link of document.querySelectorAll("a[data-export]")) {
  link.addEventListener("click", (event) => {
    const rows = Number(link.dataset.export);
    link.closest("details").open = false;
    if (rows < LONG_ROWS) return;
    event.preventDefault();
    if (underWay) {
      say("One export at a time: another is under way.");
      return;
    }
    exporting.querySelector("button").textContent = "Cancel";
    fetchExport(link, rows);
  });
}

// A slow answer: the page says that it is at work.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => { form.classList.add("busy"); say("Working …"); });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.busy")) form.classList.remove("busy");
});
