// What the page does better with script. Without it every link and form works as it stands.
"use strict";

const live = document.getElementById("live");
const say = (text) => { live.textContent = text; };

// The server marks what holds amounts and nothing else, so that a version or a name stays as it is.
// All of them are written as the reader's browser writes numbers: never a comma here, a point there.
const AMOUNT = /\d{1,3}(?:\u202f\d{3})+(?:\.\d+)?|\d+\.\d+/g;
// A mark of a chart is called by its day, its group's name and its amount.
const LAST_AMOUNT = new RegExp(`(?:${AMOUNT.source})$`);
const number = new Intl.NumberFormat();
const written = new Map();
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function amount(text) {
  const decimals = (text.split(".")[1] || "").length;
  if (!written.has(decimals)) {
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    written.set(decimals, new Intl.NumberFormat(undefined, digits));
  }
  return written.get(decimals).format(text.replaceAll("\u202f", ""));
}

function localize(place) {
  const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (node.parentElement.closest(".number, [data-amounts]")) node.data = node.data.replace(AMOUNT, amount);
    else if (node.parentElement.matches(".chart rect > title")) node.data = node.data.replace(LAST_AMOUNT, amount);
  }
  // Moments are told in the reader's own time zone as well; days stay UTC days.
  for (const time of place.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    if (at.getTimezoneOffset()) time.append(` (${moment.format(at)} here)`);
  }
}
localize(document.getElementById("main"));

// A user's detail opens over the list, under the address of its own page: Back closes it.
const over = document.getElementById("over");
const here = () => window.location.href.split("#")[0];
const served = here();
const title = document.title;
let opener = null;
let asked = 0;

function fill(detail) {
  const inside = document.createElement("div");
  inside.className = "inside";
  inside.append(document.adoptNode(detail));
  localize(inside);
  const close = document.createElement("div");
  close.className = "close";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Close";
  button.addEventListener("click", () => over.close());
  close.append(button);
  over.replaceChildren(close, inside);
  over.setAttribute("aria-labelledby", "detail-title");
}

async function open(address, link) {
  asked += 1;
  const mine = asked;
  opener = link;
  if (link) link.classList.add("busy");
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    const detail = found.getElementById("detail");
    // The session is over, or there is no such user: that is told by a page of its own.
    if (answer.redirected || !detail) throw new Error(String(answer.status));
    fill(detail);
    over.showModal();
    if (here() !== address) window.history.pushState({ over: true }, "", address);
    document.title = found.title;
    document.getElementById("detail-title").focus();
  } catch {
    if (mine === asked) window.location.assign(address);
  } finally {
    if (link) link.classList.remove("busy");
  }
}

over.addEventListener("close", () => {
  over.replaceChildren();
  document.title = title;
  if (opener) opener.focus();
  if (here() !== served) window.history.back();
});
over.addEventListener("click", (event) => { if (event.target === over) over.close(); });
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-over]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  open(link.href, link);
});
window.addEventListener("popstate", () => {
  asked += 1;
  if (here() === served) over.close();
  else if (window.history.state && window.history.state.over) open(here(), [...document.querySelectorAll("a[data-over]")].find((link) => link.href === here()));
  // After a reload this is the page of the detail, and the list is to be fetched.
  else window.location.reload();
});

// The bar under the list says what is ticked, and offers what fits it first.
const seats = document.getElementById("seats");
const actions = document.getElementById("actions");
if (seats && actions) {
  const told = actions.querySelector("[data-selected]");
  const buttons = [...actions.querySelectorAll("button[name=kind]")];
  const leading = buttons.length && buttons[0].value;
  const boxes = () => [...seats.querySelectorAll("input[name=seat]:checked")];
  // Of very many rows there is no box for all.
  const every = actions.querySelector("input[name=all]") || { checked: false };
  const plural = (count, one) => `${number.format(count)} ${one}${count === 1 ? "" : "s"}`;
  const update = () => {
    const ticked = boxes();
    const users = new Set(ticked.map((box) => {
      const seat = JSON.parse(box.value);
      return seat.user_id || seat.hashed_user_id;
    })).size;
    const flex = !every.checked && ticked.length && ticked.every((box) => box.dataset.advice === "switch_to_flex");
    if (every.checked) told.textContent = every.parentElement.textContent.trim();
    else if (!ticked.length) told.textContent = "Tick seats to take back or to move to flex.";
    else told.textContent = `${plural(users, "user")}, ${plural(ticked.length, "seat")} selected`;
    const first = flex ? "move-to-flex" : leading;
    for (const button of buttons) {
      button.disabled = !ticked.length && !every.checked;
      button.classList.toggle("quiet", button.value !== first);
      if (button.value !== first) actions.append(button);
    }
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

// An export is fetched here, to tell how far it is.
const exporting = document.getElementById("exporting");
let underWay = false;

// Whose session is over signs in, and comes back to this list.
function signIn() {
  const page = new URL("sign-in", document.querySelector(".brand a").href);
  page.searchParams.set("next", window.location.pathname + window.location.search);
  return page.href;
}

async function fetchExport(link, rows) {
  const [bar, told, cancel] = exporting.children;
  const menu = link.closest("details");
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
    if (answer.status === 401) {
      window.location.assign(signIn());
      return;
    }
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
      bar.value = Math.min(lines / Math.max(rows, 1), 1);
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
    cancel.onclick = () => {
      exporting.hidden = true;
      menu.querySelector("summary").focus();
    };
    cancel.textContent = "Close";
    say(told.textContent);
  }
}

for (const link of document.querySelectorAll("a[data-export]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const menu = link.closest("details");
    menu.open = false;
    menu.querySelector("summary").focus();
    if (underWay) {
      say("One export at a time: another is under way.");
      return;
    }
    exporting.querySelector("button").textContent = "Cancel";
    fetchExport(link, Number(link.dataset.export));
  });
}

// A slow answer: the page says that it is at work.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => { form.classList.add("busy"); say("Working …"); });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form.busy")) form.classList.remove("busy");
});
