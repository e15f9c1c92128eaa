// Keeps an open page in step with the log. The server says which rows changed, never what they are now; the page then fetches itself
// again and takes over what differs, so that there is one way only to make a page. Without this file all works, just not live.
(() => {
  'use strict';
  const $ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const body = document.body, main = document.querySelector('main'), button = document.getElementById('live');

  // ---- Taking over a newer page: only what differs is touched, so focus, selection, scroll and open details stay as they are.

  const key = n => n.nodeType === 1 ? n.id || n.dataset.row || n.dataset.key || '' : '';
  const ours = n => n.nodeType === 1 && 'own' in n.dataset;           // made or kept by this script
  const blank = n => n.nodeType === 3 && !n.data.trim();
  const made = page => page.querySelector('script').getAttribute('src');   // its name changes with what is in it
  const kept = name => name === 'open' || name === 'data-changed' || name === 'data-gone';

  function mark(node) {
    const row = node.nodeType === 1 ? node : node.parentElement;
    const whole = row && !row.closest('time') && row.closest('[data-row], [data-key], .now, .steps li');
    if (!whole) return;
    delete whole.dataset.changed;
    void whole.offsetWidth;                                           // so that a second change in a row starts the mark anew
    whole.dataset.changed = '';
    setTimeout(() => delete whole.dataset.changed, 1500);
  }

  function morph(a, b) {
    if (ours(a)) return;
    if (a.nodeType !== 1) {
      if (a.data !== b.data) { a.data = b.data; if (b.data.trim()) mark(a); }
      return;
    }
    const same = name => kept(name) || name === 'title' && a.localName === 'time' && a.dateTime === b.dateTime;   // page.js says it in the reader's zone
    for (const { name, value } of b.attributes) if (!same(name) && a.getAttribute(name) !== value) a.setAttribute(name, value);
    for (const { name } of [...a.attributes]) if (!same(name) && !b.hasAttribute(name)) a.removeAttribute(name);
    if (a.localName === 'tbody' && a.closest('[data-list]')) rows(a, b); else children(a, b);
  }

  // Nodes with a key find their old selves by it, others by their place among their like. White space is left as it lies.
  function children(a, b) {
    const next = [...b.childNodes].filter(n => !blank(n)), wanted = new Set(next.map(key));
    for (const n of [...a.childNodes]) if (key(n) && !wanted.has(key(n)) && !ours(n)) n.remove();
    const keyed = new Map([...a.childNodes].filter(key).map(n => [key(n), n]));
    const skip = n => { while (n && (blank(n) || ours(n) && !key(n))) n = n.nextSibling; return n; };
    const like = (m, n) => !key(m) && !key(n) && m.nodeName === n.nodeName;
    let at = skip(a.firstChild);
    next.forEach((n, i) => {
      while (at && !key(at) && !next.slice(i).some(m => like(at, m))) { const gone = at; at = skip(at.nextSibling); gone.remove(); }
      let old = key(n) ? keyed.get(key(n)) : at && like(at, n) ? at : null;
      if (!old || old.nodeName !== n.nodeName) {
        if (old === at && old) at = skip(at.nextSibling);
        old?.remove();
        const made = a.insertBefore(document.importNode(n, true), at);
        if (n.previousSibling && blank(n.previousSibling)) made.before(' ');
        if (key(made)) mark(made);
        return;
      }
      if (old === at) at = skip(at.nextSibling); else a.insertBefore(old, at);
      morph(old, n);
    });
    while (at) { const gone = at; at = at.nextSibling; if (!ours(gone)) gone.remove(); }
  }

  // A list's rows change where they stand. New ones go in only while nobody would lose his place by it, else they wait to be asked for.
  function rows(a, b) {
    const list = a.closest('[data-list]'), next = [...b.rows], shown = new Map([...a.rows].map(r => [r.dataset.row, r]));
    const still = new Set(next.map(r => r.dataset.row));
    for (const [name, row] of shown) {
      const now = next.find(r => r.dataset.row === name);
      if (now) { delete row.dataset.gone; morph(row, now); }
      if (changed.has(name)) { mark(row); if (!now) row.dataset.gone = ''; }   // it no longer belongs in this list
    }
    const fresh = next.filter(r => !shown.has(r.dataset.row));
    const free = 'newest' in list.dataset && scrollY < 80 && !a.matches(':hover, :focus-within');
    if (all) {
      children(a, b);
    } else if (free) {
      for (const r of fresh.reverse()) mark(a.insertBefore(document.importNode(r, true), a.firstChild));
      for (const r of [...a.rows].slice(Math.max(next.length, 1))) if (!still.has(r.dataset.row)) r.remove();
    }
    const waiting = all || free || !('newest' in list.dataset) ? 0 : fresh.length, announce = document.getElementById('fresh');
    if (!announce) return;
    if (waiting && announce.hidden) say('Newer rows are waiting');
    announce.hidden = !waiting;
    announce.textContent = waiting + ' new';
  }

  // ---- When to fetch: at once for what the page shows, four times a second at most; now and then for the frame around it. A page of the past
  // takes over only what it says of the present, unless the reader moves to another moment.

  let port, seq = Number(body.dataset.seq), changed = new Set(), all = false, moved = false, timer = 0, due = 0, last = 0, busy = false;
  let stopped = sessionStorage.getItem('paused') === '1';

  function concerns(rows) {
    const model = body.dataset.model, shown = new Set($('[data-row], [data-watch]').map(n => n.dataset.row || n.dataset.watch));
    const models = new Set([model, ...$('[data-model]', main).map(n => n.dataset.model)]);
    return model === '*' || rows.some(r => models.has(r[0]) || shown.has(r.join('/')));
  }

  function schedule(delay) {
    const then = Math.max(Date.now() + delay, last + (moved ? 60 : 250));
    if (timer && due <= then) return;
    clearTimeout(timer);
    due = then;
    timer = setTimeout(refresh, then - Date.now());
  }

  async function refresh() {
    timer = 0;
    if (busy) return schedule(moved ? 60 : 250);
    busy = true;
    last = Date.now();
    const these = changed, whole = moved;
    moved = false;
    changed = new Set();
    try {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html', 'Certtrail-Heard': seq }, cache: 'no-store', signal: AbortSignal.timeout(20000) });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!page.getElementById('main')) throw new Error('not a page of ours');
      if (made(page) !== made(document) && !document.activeElement?.matches('input, select, textarea')) return location.reload();   // the program was upgraded
      const later = changed;
      changed = these;
      if (whole) morph(main, page.getElementById('main'));
      for (const a of $('[data-live]')) { const b = page.getElementById(a.id); if (b) morph(a, b); }
      changed = later;
      document.title = page.title;
      body.dataset.model = page.body.dataset.model;
      seq = Math.max(seq, Number(page.body.dataset.seq));
      document.dispatchEvent(new Event('takenover'));
      place();
      show();
      if (answer.status === 503) schedule(2000);
      poll();
    } catch {
      for (const k of these) changed.add(k);
      moved ||= whole;
      schedule(2000);
    } finally {
      all = false;
      busy = false;
    }
  }

  // What the stream does not tell of, such as how far a rebuild is, the page says how often to look at.
  function poll() {
    const asks = document.querySelector('[data-poll]');
    if (asks && !document.hidden && !stopped) schedule(Number(asks.dataset.poll));
  }

  // ---- The slider over a row's events. Every stop is a page with an address of its own; this saves the click, and the slider keeps its focus.

  const at = () => document.getElementById('moment-at');

  function place() {
    const slider = at();
    if (slider && !moved && slider.value !== slider.getAttribute('value')) slider.value = slider.getAttribute('value');
  }

  function move(slider) {
    const stops = slider.dataset.stops.split(' '), n = Number(slider.value), stop = stops[n - slider.min], count = slider.dataset.count;
    const text = stop ? 'event ' + n + ' of ' + count : 'now · ' + count + ' events';
    slider.setAttribute('aria-valuetext', text);
    document.getElementById('moment-text').textContent = text;
    history.replaceState(null, '', slider.form.getAttribute('action') + (stop ? '?at_seq=' + stop : ''));
    moved = true;
    schedule(0);
  }

  document.addEventListener('input', e => { if (e.target === at()) move(e.target); });
  place();                                                            // a browser may have kept where it stood before

  // ---- The stream. All windows share one connection, see stream.js. A hidden tab does not listen, and catches up when it is shown.

  let state = 'connecting', told = 'live', telling = 0, interrupted = seq === 0;   // an empty log has no place to go on from, so look again once

  function say(text) { document.getElementById('live-status').textContent = text; }

  // What lasts is said to who cannot see it; a moment without connection is not worth an interruption.
  function show(now = state) {
    if (!button) return;
    const behind = document.querySelector('#behind:not([hidden]) b');
    state = now;
    button.dataset.state = state === 'live' && behind ? 'behind' : state;
    button.textContent = button.dataset.state === 'behind' ? 'behind by ' + behind.textContent : state;
    button.title = state === 'paused' ? 'Go on' : 'Pause: the page stays as it is';
    clearTimeout(telling);
    if (state !== told && state !== 'connecting') telling = setTimeout(() => {
      told = state;
      say({ live: 'Live updates are on', paused: 'Live updates are paused', reconnecting: 'Live updates are interrupted' }[state]);
    }, state === 'paused' ? 0 : 4000);
  }

  function hear({ data: { state: now, type, seq: to, rows } }) {
    if (!port || stopped || document.hidden) return;
    if (now) {
      show(now);
      if (now === 'live' && interrupted) schedule(Math.random() * 500);   // not all pages at once
      interrupted = now !== 'live';
    } else if (type === 'reload') {
      seq = to;
      schedule(Math.random() * 500);
    } else if (to > seq) {
      seq = to;
      for (const r of rows) changed.add(r.join('/'));
      schedule(concerns(rows) ? 0 : 5000);
    }
  }

  function line() {
    const script = body.dataset.stream;
    try {
      const worker = new SharedWorker(script);
      worker.onerror = () => schedule(2000);                          // the program has another one by now
      return worker.port;
    } catch {                                                         // a browser without them has one window, or few
      const channel = new MessageChannel(), tag = document.createElement('script');
      tag.src = script;
      tag.onload = () => self.onconnect({ ports: [channel.port2] });
      document.head.append(tag);
      return channel.port1;
    }
  }

  function connect() {
    if (stopped || document.hidden) return;
    if (!port) { port = line(); port.onmessage = hear; }
    port.postMessage({ follow: seq });
  }

  function disconnect() { port?.postMessage({ follow: null }); }

  function wake() {
    if (stopped || document.hidden) return disconnect();
    refresh().finally(connect);
  }

  document.getElementById('fresh')?.addEventListener('click', () => { all = true; scrollTo(0, 0); schedule(0); });
  if ('static' in body.dataset) return;                               // a database that nothing changes any more
  button.hidden = false;
  button.addEventListener('click', () => {
    stopped = !stopped;
    if (stopped) { sessionStorage.setItem('paused', '1'); disconnect(); show('paused'); } else { sessionStorage.removeItem('paused'); show('connecting'); wake(); }
  });
  document.addEventListener('visibilitychange', wake);
  addEventListener('pageshow', e => { if (e.persisted) wake(); });
  addEventListener('pagehide', disconnect);
  show(stopped ? 'paused' : 'connecting');
  connect();
  poll();
})();
