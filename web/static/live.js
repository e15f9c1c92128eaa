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
    for (const { name, value } of b.attributes) if (!kept(name) && a.getAttribute(name) !== value) a.setAttribute(name, value);
    for (const { name } of [...a.attributes]) if (!kept(name) && !b.hasAttribute(name)) a.removeAttribute(name);
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
    if (announce) { announce.hidden = !waiting; announce.textContent = waiting + ' new'; }
  }

  // ---- When to fetch: at once for what the page shows, four times a second at most; now and then for the frame around it. A page of the past
  // takes over only what it says of the present, unless the reader moves to another moment.

  let source, seq = Number(body.dataset.seq), changed = new Set(), all = false, moved = false, timer = 0, due = 0, last = 0, busy = false, retry = 0;
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
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-store' });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!page.getElementById('main')) throw new Error('not a page of ours');
      const later = changed;
      changed = these;
      if (whole) morph(main, page.getElementById('main'));
      for (const a of $('[data-live]')) { const b = page.getElementById(a.id); if (b) morph(a, b); }
      changed = later;
      document.title = page.title;
      body.dataset.model = page.body.dataset.model;
      seq = Math.max(seq, Number(page.body.dataset.seq));
      copyButtons();
      place();
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

  // ---- The stream. A hidden tab gives its connection back, since a browser has few per host, and catches up when it is shown.

  function show(state) {
    const before = button.dataset.state;
    if (before === state) return;
    button.dataset.state = button.textContent = state;
    button.title = state === 'paused' ? 'Go on' : 'Pause: the page stays as it is';
    if (before && before !== 'connecting') document.getElementById('live-status').textContent = { live: 'Live updates are on', paused: 'Live updates are paused', reconnecting: 'Live updates are interrupted' }[state];
  }

  function connect() {
    clearTimeout(retry);
    if (source) source.close();
    if (stopped || document.hidden) return;
    let interrupted = seq === 0;                                      // an empty log has no place to go on from, so look again once
    source = new EventSource('/api/v1/live?last_event_id=' + seq);
    source.onopen = () => { show('live'); if (interrupted) schedule(0); interrupted = false; };
    source.onerror = () => {
      show('reconnecting');
      interrupted = true;
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, 3000);   // answered with an error: the browser gives up, we do not
    };
    source.onmessage = message => {
      const change = JSON.parse(message.data);
      seq = Math.max(seq, change.seq);
      for (const r of change.rows) changed.add(r.join('/'));
      schedule(concerns(change.rows) ? 0 : 5000);
    };
  }

  function disconnect() { clearTimeout(retry); if (source) source.close(); source = null; }

  function wake() {
    if (document.hidden) return disconnect();
    if (stopped || source) return;
    refresh().finally(connect);
  }

  // ---- Small comforts.

  function copyButtons() {
    if (!navigator.clipboard) return;
    for (const pre of $('[data-copy]')) {
      if (pre.querySelector('.copy')) continue;
      const b = document.createElement('button');
      b.type = 'button'; b.className = 'copy'; b.dataset.own = ''; b.textContent = 'Copy';
      b.onclick = () => navigator.clipboard.writeText(pre.querySelector('code').textContent).then(() => { b.textContent = 'Copied'; setTimeout(() => b.textContent = 'Copy', 1500); });
      pre.append(b);
    }
  }

  // The same words as agoText in text.go.
  function ago(t) {
    const d = Date.now() - t, minutes = Math.floor(Math.abs(d) / 60000);
    if (minutes < 1) return 'just now';
    if (minutes >= 60 * 24 * 60) return null;
    const text = minutes < 60 ? minutes + ' min' : minutes < 48 * 60 ? Math.floor(minutes / 60) + ' h' : Math.floor(minutes / 1440) + ' d';
    return d < 0 ? 'in ' + text : text + ' ago';
  }

  setInterval(() => {
    if ('still' in main.dataset) return;                              // the page's clock stands still
    for (const t of $('time[data-rel]')) { const text = ago(Date.parse(t.dateTime)); if (text && t.textContent !== text) t.textContent = text; }
  }, 15000);

  document.addEventListener('keydown', e => {
    const typing = e.target.closest('input, select, textarea') || e.ctrlKey || e.metaKey || e.altKey;
    if (e.key === '/' && !typing) { e.preventDefault(); document.getElementById('search').focus(); }
    if (e.key === 'Escape') for (const d of $('.more[open]')) d.open = false;
  });
  document.addEventListener('click', e => { for (const d of $('.more[open]')) if (!d.contains(e.target)) d.open = false; });
  for (const form of $('form')) form.addEventListener('formdata', e => { for (const [name, value] of [...e.formData]) if (!value) e.formData.delete(name); });
  for (const select of $('form[data-filter] select')) select.addEventListener('change', () => select.form.requestSubmit());
  document.getElementById('fresh')?.addEventListener('click', () => { all = true; scrollTo(0, 0); schedule(0); });

  document.documentElement.classList.add('js');
  copyButtons();
  if ('static' in body.dataset) return;                               // a database that nothing changes any more
  button.hidden = false;
  button.addEventListener('click', () => {
    stopped = !stopped;
    if (stopped) { sessionStorage.setItem('paused', '1'); disconnect(); show('paused'); } else { sessionStorage.removeItem('paused'); wake(); }
  });
  document.addEventListener('visibilitychange', wake);
  addEventListener('pageshow', e => { if (e.persisted) { disconnect(); wake(); } });
  addEventListener('pagehide', disconnect);
  show(stopped ? 'paused' : 'connecting');
  if (!stopped) connect();
  poll();
})();
