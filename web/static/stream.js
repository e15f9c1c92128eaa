// One connection to the stream of changes for all windows of a browser, which has few of them per host: as a shared worker this holds it and
// passes on what comes. Where there are no shared workers, live.js runs the same in its own window.
'use strict';
{
  const followers = new Map();                                        // port to the sequence up to which its page was when it came
  let source, at = 0, state = '', retry = 0, awake = Date.now();

  const tell = message => { for (const port of followers.keys()) port.postMessage(message); };
  const become = now => { state = now; tell({ state }); };

  function connect() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource('/api/v1/live?at_most=1000&last_event_id=' + at);
    source.onopen = () => become('live');
    source.onerror = () => {
      become('reconnecting');
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, 3000);   // answered with an error: the browser gives up, we do not
    };
    for (const type of ['message', 'reload']) source.addEventListener(type, e => {
      at = Number(e.lastEventId);
      tell({ type, ...JSON.parse(e.data) });
    });
  }

  function leave(port) {
    followers.delete(port);
    if (followers.size) return;
    clearTimeout(retry);
    source?.close();
    source = null;
    state = '';
  }

  self.onconnect = ({ ports: [port] }) => {
    port.onmessage = ({ data: { follow } }) => {                      // the sequence up to which the page is; null: it listens no more
      if (follow === null) return leave(port);
      followers.set(port, follow);
      if (!source) { at = follow; return connect(); }
      if (state) port.postMessage({ state });
      if (follow < at) port.postMessage({ type: 'reload', seq: at }); // what came between has gone by
    };
  };

  setInterval(() => {                                                 // after a sleep nobody knows whether the other side is still there
    const slept = Date.now() - awake > 45000;
    awake = Date.now();
    if (slept && source) { become('reconnecting'); connect(); }
  }, 10000);
}
