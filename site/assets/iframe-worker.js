// A page that is opened from a disk may not start a worker from a file. This does the worker's work in a hidden frame; the
// search of the theme asks for it by this name.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = this.onerror = null;
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.inside.postMessage = (data) => this.tell(new MessageEvent("message", { data }));
      this.inside.importScripts = (...urls) => urls.reduce((before, next) => before.then(() => this.load(next)), Promise.resolve());
      this.load(url).then(() => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.postMessage(data));
      });
    }

    load(url) {
      const script = this.inside.document.createElement("script");
      script.src = new URL(url, document.baseURI);
      return new Promise((done) => {
        script.onload = done;
        script.onerror = () => this.tell(new ErrorEvent("error", { message: `cannot load ${script.src}` }));
        this.inside.document.body.append(script);
      });
    }

    tell(event) {
      this.dispatchEvent(event);
      (event.type === "message" ? this.onmessage : this.onerror)?.call(this, event);
    }

    postMessage(data) {
      if (this.waiting) {
        this.waiting.push(data);
      } else {
        this.inside.dispatchEvent(new MessageEvent("message", { data }));
      }
    }

    terminate() {
      this.inside.frameElement?.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
