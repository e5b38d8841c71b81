/** A clock, a socket and a page that tests hold in their hands. */

export class FakeClock {
  constructor() {
    this.time = 1_000_000;
    this.timers = new Map();
    this.lastTimer = 0;
    /** What `random` answers. */
    this.chance = 0.5;
  }

  now() {
    return this.time;
  }

  random() {
    return this.chance;
  }

  setTimeout(callback, ms) {
    this.lastTimer += 1;
    this.timers.set(this.lastTimer, { at: this.time + ms, callback });
    return this.lastTimer;
  }

  clearTimeout(timer) {
    this.timers.delete(timer);
  }

  /** Let time pass, and everything happen that is due, in order. */
  pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = due[1].at;
      due[1].callback();
    }
    this.time = end;
  }
}

/** @returns {any} a WebSocket class that remembers its instances, newest first */
export function makeSocketClass() {
  return class FakeSocket {
    static opened = [];

    constructor(url) {
      this.url = url;
      /** Frames, without the `hello` that comes first and the acknowledgements that come in passing. */
      this.sent = [];
      this.hello = null;
      this.acks = [];
      this.onmessage = this.onclose = null;
      FakeSocket.opened.unshift(this);
    }

    static get last() {
      return FakeSocket.opened[0];
    }

    send(text) {
      const frame = JSON.parse(text);
      if (frame.action === "hello") this.hello = frame.data;
      else if (frame.action === "ack") this.acks.push(frame.data.n);
      else this.sent.push(frame);
    }

    close(code) {
      this.closedWith = code ?? null;
    }

    receive(frame) {
      this.onmessage?.({ data: JSON.stringify({ timestamp: "2026-01-01T00:00:00.000000+00:00", data: {}, ...frame }) });
    }

    welcome() {
      this.receive({ type: "connected", data: { connection_id: "c" } });
    }

    end(code, bye) {
      if (bye) this.receive({ type: "bye", data: { code, reconnect: true, after_ms: 0, message: "", ...bye } });
      this.onclose?.({ code });
    }
  };
}

/** A browser's locks and channels, for tabs that a test opens and ends. */
export class FakeBrowser {
  constructor() {
    this.locks = new Map();
    this.channels = new Set();
  }

  /** @returns {any} the locks as one tab sees them; `end` lets go of all that it holds */
  makeLocks() {
    const browser = this;
    const mine = new Set();
    return {
      request(name, options, callback) {
        if (callback === undefined) [options, callback] = [{}, options];
        return new Promise((resolve, reject) => {
          const request = { name, callback, resolve, reject, owner: mine };
          mine.add(request);
          options.signal?.addEventListener("abort", () => browser.#cancel(request));
          const queue = browser.locks.get(name) ?? [];
          browser.locks.set(name, queue);
          if (options.steal && queue[0]?.isHeld) queue.shift().reject(new DOMException("stolen", "AbortError"));
          if (options.steal) queue.unshift(request);
          else queue.push(request);
          browser.#grant(name);
        });
      },
      end() {
        for (const request of mine) browser.#drop(request);
        for (const channel of browser.channels) if (channel.owner === mine) browser.channels.delete(channel);
      },
      makeChannelClass: () => browser.#makeChannelClass(mine),
    };
  }

  #cancel(request) {
    if (request.isHeld) return;
    this.#drop(request);
    request.reject(new DOMException("aborted", "AbortError"));
  }

  #drop(request) {
    const queue = this.locks.get(request.name) ?? [];
    if (queue.includes(request)) queue.splice(queue.indexOf(request), 1);
    this.#grant(request.name);
  }

  #grant(name) {
    queueMicrotask(() => {
      const [first] = this.locks.get(name);
      if (!first || first.isHeld) return;
      first.isHeld = true;
      Promise.resolve(first.callback()).then((value) => {
        this.#drop(first);
        first.resolve(value);
      });
    });
  }

  #makeChannelClass(owner) {
    const { channels } = this;
    return class FakeChannel {
      constructor(name) {
        this.name = name;
        this.owner = owner;
        channels.add(this);
      }

      close() {
        channels.delete(this);
      }

      postMessage(message) {
        const data = structuredClone(message);
        for (const other of channels) {
          if (other !== this && other.name === this.name) queueMicrotask(() => channels.has(other) && !other.owner.isAsleep && other.onmessage?.({ data }));
        }
      }
    };
  }
}

/** @returns {Promise<void>} once everything that waits for nothing but its turn has happened */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeWindow extends EventTarget {
  constructor() {
    super();
    this.navigator = { onLine: true };
    this.reloads = 0;
    this.location = { reload: () => (this.reloads += 1) };
    const kept = new Map();
    this.sessionStorage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
  }
}

/** As much of an element as the modules touch. */
export class FakeElement extends EventTarget {
  constructor(attributes = {}, children = []) {
    super();
    this.attributes = new Map(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
    this.children = children;
    this.parent = null;
    this.isConnected = true;
    this.textContent = "";
    for (const child of children) child.parent = this;
    this.dataset = new Proxy(this, {
      get: (element, key) => element.getAttribute(toAttribute(key)) ?? undefined,
      set: (element, key, value) => element.setAttribute(toAttribute(key), value) ?? true,
    });
  }

  get id() {
    return this.getAttribute("id") ?? "";
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
  }

  hasAttribute(name) {
    return this.attributes.has(name);
  }

  removeAttribute(name) {
    this.attributes.delete(name);
    if (name === "value") this.value = undefined;
  }

  closest(selector) {
    return this.hasAttribute(selector.slice(1, -1)) ? this : (this.parent?.closest(selector) ?? null);
  }

  querySelectorAll(selector) {
    const names = selector.split(",").map((part) => part.trim().slice(1, -1));
    return this.children.flatMap((child) => [...(names.some((name) => child.hasAttribute(name)) ? [child] : []), ...child.querySelectorAll(selector)]);
  }

  contains(element) {
    return element === this || this.children.some((child) => child.contains(element));
  }

  append(...children) {
    for (const child of children) child.parent = this;
    this.children.push(...children);
  }
}

function toAttribute(key) {
  return `data-${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export class FakeDocument extends FakeElement {
  constructor(children = []) {
    super({}, children);
    this.hidden = false;
  }

  getElementById(id) {
    return this.querySelectorAll("[id]").find((element) => element.getAttribute("id") === id) ?? null;
  }
}

/** @returns {{clock: FakeClock, WebSocket: any, document: FakeDocument, window: FakeWindow}} */
export function makeEnvironment(children = []) {
  return { clock: new FakeClock(), WebSocket: makeSocketClass(), document: new FakeDocument(children), window: new FakeWindow() };
}
