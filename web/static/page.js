// Small comforts of every page: keys, copy buttons, times in the reader's zone. Without this file all works, by mouse and in UTC.
(() => {
  'use strict';
  const $ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const menus = '.more[open], .decide details[open]', help = document.getElementById('help'), keys = document.getElementById('keys');

  // ---- Copy buttons.

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

  // ---- Times. The server writes UTC, which stays beside.

  const zone = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });
  const away = t => new Date(t).getTimezoneOffset() !== 0;

  // The same words as agoText in text.go.
  function ago(t) {
    const d = Date.now() - t, minutes = Math.floor(Math.abs(d) / 60000);
    if (minutes < 1) return 'just now';
    if (minutes >= 60 * 24 * 60) return null;
    const text = minutes < 60 ? minutes + ' min' : minutes < 48 * 60 ? Math.floor(minutes / 60) + ' h' : Math.floor(minutes / 1440) + ' d';
    return d < 0 ? 'in ' + text : text + ' ago';
  }

  // The same words as lastedText in lasting.go.
  function lasted(t) {
    const minutes = Math.floor((Date.now() - t) / 60000), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
    const two = (large, n, small) => n ? large + ' ' + n + small : large;
    if (minutes < 1) return 'less than a minute';
    if (hours < 1) return minutes + ' min';
    if (days < 1) return two(hours + ' h', minutes % 60, ' min');
    return days < 60 ? two(days + ' d', hours % 24, ' h') : days + ' d';
  }

  function local() {
    for (const t of $('time[title]')) {
      if (!away(t.dateTime) || t.title.includes(' = ')) continue;
      t.title = zone.format(new Date(t.dateTime)) + ' = ' + t.title;
    }
    for (const t of $('time[data-exact]')) {
      const utc = t.textContent.split(' = ').pop();
      if (away(t.dateTime)) t.textContent = zone.format(new Date(t.dateTime)) + ' = ' + utc;
    }
  }

  setInterval(() => {
    if ('still' in document.querySelector('main').dataset) return;    // the page's clock stands still
    for (const t of $('time[data-rel], time[data-lasting]')) {
      const text = ('rel' in t.dataset ? ago : lasted)(Date.parse(t.dateTime));
      if (text && t.textContent !== text) t.textContent = text;
    }
  }, 15000);

  // ---- Keys. The focus itself goes from row to row, so that Enter opens, and a screen reader says where one is.

  function step(by) {
    const rows = $('main tr[data-row], main .matters > li, main .events > li').filter(r => r.checkVisibility());
    const at = rows.findIndex(r => r.contains(document.activeElement));
    const next = at < 0 ? by > 0 ? 0 : rows.length - 1 : at + by;
    rows[next]?.querySelector('.name a, h2 a, a, summary, button')?.focus();
    rows[next]?.scrollIntoView({ block: 'nearest' });
  }

  const actions = {
    '/': () => document.getElementById('search').select(),
    'j': () => step(1),
    'k': () => step(-1),
    '?': () => help.showModal(),
  };

  document.addEventListener('keydown', e => {
    if (e.key === 'Escape') {
      for (const d of $(menus)) { d.open = false; d.querySelector('summary').focus(); }
      if (e.target.matches('input[type=search]')) e.target.blur();
      return;
    }
    const typing = e.target.closest('input:not([type=range], [type=checkbox]), select, textarea, [contenteditable]') || e.ctrlKey || e.metaKey || e.altKey;
    if (typing || help.open || !keys.checked || !actions[e.key]) return;
    e.preventDefault();
    actions[e.key]();
  });

  keys.checked = localStorage.getItem('keys') !== 'off';
  keys.addEventListener('change', () => localStorage.setItem('keys', keys.checked ? 'on' : 'off'));
  document.getElementById('help-open').addEventListener('click', () => help.showModal());
  help.addEventListener('click', e => { if (e.target === help) help.close(); });   // beside the dialog

  document.addEventListener('click', e => { for (const d of $(menus)) if (!d.contains(e.target)) d.open = false; });
  document.addEventListener('formdata', e => { for (const [name, value] of [...e.formData]) if (!value) e.formData.delete(name); });
  document.addEventListener('change', e => { if (e.target.matches('form[data-filter] select')) e.target.form.requestSubmit(); });

  function comfort() { copyButtons(); local(); }
  document.addEventListener('takenover', comfort);
  document.documentElement.classList.add('js');
  comfort();
})();
