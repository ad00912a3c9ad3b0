// The report of a run. Its data is in the element "data" (page.cpp); texts from there only become text nodes.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const page = document.getElementById("page");
  const STATES = ["skipped", "succeeded", "recovered", "failed", "unfinished"];
  const SYMBOLS = ["↷", "✓", "↻", "✗", "…"];
  const [SKIPPED, SUCCEEDED, RECOVERED, FAILED, UNFINISHED] = [0, 1, 2, 3, 4];
  const PIPELINE_STATES = ["succeeded", "failed", "left out", "unfinished"];
  const PIPELINE_SYMBOLS = ["✓", "✗", "–", "…"];
  const PHASES = ["reading", "building", "exporting"];
  const several = data.pipelines.length > 1;

  // Elements.

  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  };
  const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

  // Numbers as people read them: as pachbuild prints them.

  const number = (value) => value.toLocaleString("en-US");
  const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
  const duration = (micros) => {
    const millis = micros / 1000;
    if (millis < 1) return micros === 0 ? "0 ms" : `${millis.toFixed(millis < 0.1 ? 2 : 1)} ms`;
    if (millis < 999.5) return `${Math.round(millis)} ms`;
    if (millis < 59950) return `${(millis / 1000).toFixed(1)} s`;
    const seconds = Math.round(millis / 1000);
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`;
  };
  const bytes = (value) => {
    if (value < 1024) return `${value} B`;
    const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = -1;
    do { value /= 1024; unit += 1; } while (value >= 1024 && unit < units.length - 1);
    return `${value.toFixed(1)} ${units[unit]}`;
  };
  const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)}%` : "–");
  const sum = (list) => list.reduce((a, b) => a + b, 0);

  // Datums, an object each only where one is looked at.

  const rows = data.rows;
  const ids = rows.ids === "" ? [] : rows.ids.split(" ");
  const total = ids.length;
  const stateOf = (row) => rows.states.charCodeAt(row) - 48;
  const becauseOf = (row) => rows.reasons[rows.because[row]];
  const totals = STATES.map((_, state) => sum(data.pipelines.map((pipeline) => pipeline.counts[state])));
  const all = sum(totals);
  const commandOf = (row, what = "again") => {
    const [before, after] = data.pipelines[rows.pipelines[row]][what];
    return before + ids[row] + after;
  };

  const stateMark = (state) =>
    h("span", { class: `state ${STATES[state]}` }, h("span", { "aria-hidden": "true" }, SYMBOLS[state]),
      h("span", { class: "word" }, ` ${STATES[state]}`));
  const pipelineMark = (pipeline) => {
    const name = PIPELINE_STATES[pipeline.state];
    return h("span", { class: `state pipeline-${pipeline.state}` },
      h("span", { "aria-hidden": "true" }, PIPELINE_SYMBOLS[pipeline.state]), ` ${name}`);
  };

  const announcer = h("div", { class: "hidden", "aria-live": "polite" });
  const copyText = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = h("textarea", { class: "hidden" });
      area.value = text;
      (button.closest("dialog") || document.body).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = "Copied";
    announcer.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; announcer.textContent = ""; }, 1500);
  };
  const command = (text, label) =>
    h("div", { class: "command" },
      h("pre", { tabindex: "0", "aria-label": label }, h("code", {}, text)),
      h("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: (event) => copyText(text, event.currentTarget) }, "Copy"));

  const section = (id, title, ...content) =>
    h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), ...content);
  const scroller = (label, ...content) =>
    h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": label }, ...content);
  const table = (heads, lines) =>
    h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, lines.map((cells) => h("tr", {}, cells.map((cell, i) =>
        (i === 0 ? h("th", { scope: "row" }, cell) : h("td", {}, cell)))))));

  // How it ended.

  const SIGNALS = { 1: "SIGHUP", 2: "Ctrl-C", 15: "SIGTERM" };
  const ending = () => {
    if (data.signal > 0) return ["unfinished", `interrupted by ${SIGNALS[data.signal] || `signal ${data.signal}`}`];
    if (totals[FAILED] > 0) return ["failed", `${count(totals[FAILED], "datum")} failed`];
    if (data.code === 0) return ["succeeded", "succeeded"];
    const failed = data.pipelines.filter((pipeline) => pipeline.state === 1).length;
    return ["failed", failed > 0 && several ? `${count(failed, "pipeline")} failed` : "failed"];
  };

  const makeHeader = () => {
    const [state, text] = ending();
    const started = new Date(data.started * 1000);
    const name = several ? count(data.pipelines.length, "pipeline") : data.pipelines[0].name;
    return h("header", {},
      h("div", { class: "title" },
        h("p", { class: "kicker" }, "pachbuild run"),
        h("h1", {}, name),
        h("p", { class: "when" },
          h("time", { datetime: started.toISOString(), title: started.toISOString() },
            started.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })),
          ` · ${duration(data.elapsed)}`)),
      h("p", { class: `ending ${state}`, id: "ending" },
        h("span", { "aria-hidden": "true" }, `${SYMBOLS[STATES.indexOf(state)]} `), text),
      makeThemeSwitch());
  };

  const remember = (value) => { try { localStorage.setItem("pachbuild-theme", value); } catch { /* of a file: perhaps not */ } };
  const remembered = () => { try { return localStorage.getItem("pachbuild-theme"); } catch { return null; } };
  const THEMES = ["auto", "light", "dark"];
  const makeThemeSwitch = () => {
    const buttons = THEMES.map((theme) =>
      h("button", { type: "button", onclick: () => { remember(theme); choose(theme); } }, theme));
    const choose = (theme) => {
      if (theme === "auto") document.documentElement.removeAttribute("data-theme");
      else document.documentElement.setAttribute("data-theme", theme);
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(THEMES[i] === theme)));
      document.dispatchEvent(new Event("themed"));
    };
    choose(THEMES.includes(remembered()) ? remembered() : "auto");
    return h("div", { class: "themes", role: "group", "aria-label": "Colours" }, buttons);
  };

  const makeTiles = () => {
    const tile = (label, value, ...more) =>
      h("div", { class: "tile" }, h("dt", {}, label), h("dd", {}, h("b", {}, value), ...more));
    const ran = all - totals[SKIPPED];
    const files = sum(data.pipelines.map((pipeline) => (pipeline.output ? pipeline.output.files : 0)));
    const size = sum(data.pipelines.map((pipeline) => (pipeline.output ? pipeline.output.bytes : 0)));
    return h("dl", { class: "tiles" },
      tile("Datums", number(all), h("div", { class: "shares", "aria-hidden": "true" },
        [SUCCEEDED, RECOVERED, SKIPPED, UNFINISHED, FAILED].filter((state) => totals[state] > 0).map((state) => {
          const part = h("i", { class: STATES[state] });
          part.style.flexGrow = totals[state];
          return part;
        })),
        h("ul", { class: "states" }, STATES.map((_, state) => totals[state] > 0 &&
          h("li", {}, stateMark(state), " ", h("span", { "data-total": STATES[state] }, number(totals[state])))))),
      tile("Time", duration(data.elapsed),
        h("span", {}, ran > 0 ? `${duration(data.durations.sum)} in programs` : "no program ran")),
      tile("Reused", percent(totals[SKIPPED], all),
        h("span", {}, `${number(totals[SKIPPED])} of ${count(all, "datum")}`)),
      tile("Output", bytes(size), h("span", {}, count(files, "file"))),
      tile("Workers", number(data.workers),
        h("span", {}, data.window > 0 ? `busy ${percent(data.durations.sum, data.window * data.workers)} while datums ran` : "not needed",
          data.runtime ? `, in ${data.runtime}` : "")));
  };

  const makeWarnings = () => {
    const lines = [...data.warnings.map((text) => [null, text]),
      ...data.pipelines.flatMap((pipeline) => pipeline.warnings.map((text) => [pipeline.name, text]))];
    if (lines.length === 0) return null;
    return section("warnings", "Warnings", h("ul", { class: "plain" }, lines.map(([name, text]) =>
      h("li", {}, name !== null && several ? h("b", {}, `${name}: `) : null, text))));
  };

  // Failures.

  const rowsOf = (pipeline, kind) => {
    const found = [];
    for (let row = 0; row < total; row += 1) {
      if (rows.pipelines[row] === pipeline && rows.failures[row] === kind) found.push(row);
    }
    return found;
  };
  const lastLine = (text) => text.trimEnd().split("\n").pop().trim();
  const datumButton = (row) =>
    h("button", { type: "button", class: "link", onclick: () => showDatum(row) }, rows.labels[row]);

  const makeFailures = () => {
    const items = [];
    const FEW = 5;
    data.pipelines.forEach((pipeline, place) => {
      if (pipeline.error) {
        const [where, what, hint] = pipeline.error;
        items.push(h("article", {}, h("h3", {}, `${pipeline.name}: `, what || "the build failed"),
          where && h("p", {}, h("code", {}, where)),
          hint && h("p", {}, `hint: ${hint}`),
          pipeline.log && h("pre", { tabindex: "0", class: "log", "aria-label": `end of what the build of ${pipeline.name} printed` }, pipeline.log)));
      }
      pipeline.failures.forEach((failure, kind) => {
        const found = rowsOf(place, kind);
        const first = found.slice(0, FEW);
        items.push(h("article", { class: "failure" },
          h("h3", {}, h("span", { class: "count" }, `${number(failure.count)} ×`), ` ${failure.reason}`),
          several && h("p", {}, `pipeline ${pipeline.name}`),
          failure.log && h("details", { open: items.length < 3 },
            h("summary", {}, h("code", {}, lastLine(failure.log))),
            h("pre", { tabindex: "0", class: "log", "aria-label": `end of the log of ${first.length ? rows.labels[first[0]] : "the first"}` }, failure.log)),
          h("p", { class: "instances" }, first.map((row, i) => [i > 0 ? ", " : "", datumButton(row)]),
            found.length > FEW && [", ", h("button", { type: "button", class: "link", onclick: () => filterFailure(place, kind) },
              `all ${number(failure.count)}`)]),
          first.length > 0 && command(commandOf(first[0]), `run ${rows.labels[first[0]]} again`)));
      });
    });
    data.pipelines.forEach((pipeline) => {
      if (pipeline.state === 2)
        items.push(h("article", {}, h("h3", {}, `${pipeline.name} was not run`),
          h("p", {}, `It reads ${pipeline.because}, which has no result.`)));
    });
    return items.length > 0 ? section("failures", "Failures", items) : null;
  };

  // The graph.

  const WIDTH = 216, HEIGHT = 56, BETWEEN = 64, BELOW = 20, MARGIN = 8;
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  const levelsOf = () => {
    const level = [];
    data.pipelines.forEach((pipeline, i) => {  // each one after those that it reads
      level[i] = Math.max(0, ...pipeline.after.map((before) => level[before])) + 1;
    });
    return level;
  };

  const makeGraph = () => {
    const level = levelsOf();
    const columns = [];
    const put = (column, node) => { (columns[column] ||= []).push(node); return node; };
    const repos = data.repos.map(([name, folder]) => put(0, { name, folder }));
    const nodes = data.pipelines.map((pipeline, i) => put(level[i], { pipeline, place: i }));
    nodes.forEach((node) => {
      node.from = [...data.repos.flatMap(([name], i) => (node.pipeline.reads.includes(name) ? [repos[i]] : [])),
        ...node.pipeline.after.map((before) => nodes[before])];
    });
    for (const column of columns) {
      if (!column) continue;
      const middle = (node) => (node.from && node.from.length ? sum(node.from.map((other) => other.y ?? 0)) / node.from.length : 0);
      column.sort((a, b) => middle(a) - middle(b));
      column.forEach((node, i) => { node.y = MARGIN + i * (HEIGHT + BELOW); });
    }
    const tallest = Math.max(...columns.map((column) => (column ? column.length : 0)));
    const height = tallest * (HEIGHT + BELOW) - BELOW + 2 * MARGIN;
    columns.forEach((column, c) => {
      const shift = (height - (column.length * (HEIGHT + BELOW) - BELOW + 2 * MARGIN)) / 2;
      column.forEach((node) => { node.x = MARGIN + c * (WIDTH + BETWEEN); node.y += shift; });
    });
    const width = columns.length * (WIDTH + BETWEEN) - BETWEEN + 2 * MARGIN;
    const edges = nodes.flatMap((node) => node.from.map((other) => {
      const [x1, y1, x2, y2] = [other.x + WIDTH, other.y + HEIGHT / 2, node.x, node.y + HEIGHT / 2];
      return svg("path", { class: "edge", d: `M${x1},${y1} C${x1 + BETWEEN / 2},${y1} ${x2 - BETWEEN / 2},${y2} ${x2 - 3},${y2}`,
        "marker-end": "url(#arrow)" });
    }));
    const box = (node, kind, name, line) =>
      svg("g", { class: `node ${kind}`, transform: `translate(${node.x},${node.y})` },
        svg("title", {}, `${name}: ${line}`),
        svg("rect", { width: WIDTH, height: HEIGHT, rx: 8 }),
        svg("text", { x: 14, y: 23, class: "name" }, cut(name, 25)),
        svg("text", { x: 14, y: 42, class: "line" }, cut(line, 31)));
    const drawn = [
      ...repos.map((node) => box(node, "repo", node.name, node.folder || "made by the run")),
      ...nodes.map((node) => {
        const { pipeline } = node;
        const parts = [FAILED, UNFINISHED, RECOVERED, SUCCEEDED, SKIPPED].filter((state) => pipeline.counts[state] > 0)
          .map((state) => `${number(pipeline.counts[state])} ${STATES[state]}`);
        const line = `${PIPELINE_SYMBOLS[pipeline.state]} ${parts.join(", ") || PIPELINE_STATES[pipeline.state]}`;
        return svg("a", { href: `#pipeline-${node.place}` }, box(node, `pipeline-${pipeline.state}`, pipeline.name, line));
      })];
    return scroller("graph of the pipelines", svg("svg", { id: "graph", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": "graph" },
      svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
        svg("path", { d: "M0,0 L8,4 L0,8 z", class: "tip" }))), edges, drawn));
  };

  const phaseTime = (pipeline, kind) => sum(pipeline.phases.filter((phase) => phase.kind === kind).map((phase) => phase.end - phase.begin));
  const makePipelines = () => section("pipelines", several ? "Pipelines" : "Pipeline", makeGraph(),
    scroller("pipelines", (() => {
      const made = table(["Pipeline", "State", "Ran", "Skipped", "Failed", "Build", "Programs", "Output"], data.pipelines.map((pipeline) => {
        const { counts, output } = pipeline;
        return [pipeline.name, pipelineMark(pipeline), number(counts[SUCCEEDED] + counts[RECOVERED]), number(counts[SKIPPED]), number(counts[FAILED]),
          pipeline.phases.some((phase) => phase.kind === 1) ? duration(phaseTime(pipeline, 1)) : "–",
          pipeline.durations.count > 0 ? duration(pipeline.durations.sum) : "–",
          output ? [`${bytes(output.bytes)}, ${count(output.files, "file")}`, output.exported ? (output.partial ? " (partial)" : "") : " (not written)"] : "–"];
      }));
      [...made.querySelectorAll("tbody tr")].forEach((line, i) => { line.id = `pipeline-${i}`; });
      return made;
    })()),
    h("ul", { class: "plain folders" }, data.pipelines.map((pipeline) => pipeline.output && pipeline.output.exported &&
      h("li", {}, several ? `Output of ${pipeline.name}: ` : "Output: ", h("code", {}, pipeline.output.folder)))));

  // The timeline.

  const PHASE_COLOURS = ["--reading", "--building", "--exporting"];
  const STATE_COLOURS = ["--skipped", "--succeeded", "--recovered", "--failed", "--unfinished"];
  const TITLE = 22, AXIS = 24, PHASE = 14;

  // Rows of bars from top to bottom: a title, or bars sorted by their beginning.
  const timelineRows = () => {
    const lanes = sum(data.pipelines.map((pipeline) => pipeline.lanes));
    const laneHeight = Math.max(3, Math.min(16, Math.floor(1600 / Math.max(1, lanes))));
    const list = [];
    let y = AXIS;
    const add = (height, row) => { list.push({ y, height, ...row }); y += height; };
    const addPhases = (phases) => phases.length > 0 && add(PHASE + 3, { bars: phases.map((phase) => (
      { begin: phase.begin, end: phase.end, colour: PHASE_COLOURS[phase.kind], text: `${PHASES[phase.kind]}${phase.of ? ` ${phase.of}` : ""}` })) });
    if (data.phases.length > 0) { add(TITLE, { title: "reading inputs" }); addPhases(data.phases); }
    const byLane = data.pipelines.map((pipeline) => Array.from({ length: pipeline.lanes }, () => []));
    for (let row = 0; row < total; row += 1) {
      const state = stateOf(row);
      if (state === SKIPPED) continue;
      byLane[rows.pipelines[row]][rows.lanes[row]].push(
        { begin: rows.begins[row], end: rows.begins[row] + rows.lengths[row], colour: STATE_COLOURS[state], row });
    }
    data.pipelines.forEach((pipeline, i) => {
      if (pipeline.phases.length === 0 && pipeline.lanes === 0) return;
      add(TITLE, { title: pipeline.name });
      addPhases(pipeline.phases);
      for (const bars of byLane[i]) {
        bars.sort((a, b) => a.begin - b.begin);
        add(laneHeight + 1, { bars });
      }
    });
    return [list, y + 6];
  };

  const niceStep = (span, most) => {
    let step = 1;
    for (let i = 0; span / step > most; i += 1) step *= [2, 2.5, 2][i % 3];
    return step;
  };

  const makeTimeline = () => {
    const [list, height] = timelineRows();
    const end = Math.max(1, data.elapsed);
    let view = [0, end];
    const canvas = h("canvas", { role: "img", "aria-label": `Timeline of ${duration(data.elapsed)}: phases and datums by worker. The tables have the same figures.` });
    const tip = h("div", { class: "tip", hidden: true });
    const frame = h("div", { class: "timeline" }, canvas, tip);
    const pen = canvas.getContext("2d");
    let width = 0;
    const at = (time) => ((time - view[0]) / (view[1] - view[0])) * width;
    const timeAt = (x) => view[0] + (x / width) * (view[1] - view[0]);

    let marked = null;  // two places between which the person drags
    const draw = () => {
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue(name).trim();
      const colours = Object.fromEntries([...PHASE_COLOURS, ...STATE_COLOURS].map((name) => [name, colour(name)]));
      const ratio = window.devicePixelRatio || 1;
      width = frame.clientWidth;
      if (width === 0) return;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.height = `${height}px`;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, width, height);
      pen.font = `11px ${style.getPropertyValue("--sans")}`;
      pen.textBaseline = "middle";
      const step = niceStep(view[1] - view[0], Math.max(2, width / 90));
      for (let time = Math.ceil(view[0] / step) * step; time <= view[1]; time += step) {
        pen.fillStyle = colour("--line");
        pen.fillRect(Math.round(at(time)), AXIS - 6, 1, height);
        pen.fillStyle = colour("--muted");
        const label = time === 0 ? "0" : duration(time);
        pen.fillText(label, Math.min(Math.max(0, at(time) - (time === 0 ? 0 : pen.measureText(label).width / 2)), width - pen.measureText(label).width), 9);
      }
      for (const { y, height: tall, title, bars } of list) {
        if (title !== undefined) {
          pen.font = `600 12px ${style.getPropertyValue("--sans")}`;
          pen.fillStyle = colour("--text");
          pen.fillText(title, 0, y + tall / 2 + 2, width);
          pen.font = `11px ${style.getPropertyValue("--sans")}`;
          continue;
        }
        // Bars that fall on one pixel are drawn once, in the colour of the worst of them.
        let last = -1;
        for (const bar of bars) {
          if (bar.end < view[0] || bar.begin > view[1]) continue;
          const left = Math.max(0, at(bar.begin));
          const right = Math.min(width, at(bar.end));
          const bad = bar.colour === "--failed";
          if (right <= last && !bad) continue;
          const wide = Math.max(1, right - left - (right - left > 3 ? 1 : 0));
          pen.fillStyle = colours[bar.colour];
          pen.fillRect(left, y, bad ? Math.max(2, wide) : wide, tall - (tall > 4 ? 2 : 1));
          last = Math.max(last, Math.floor(left) + 1);
          const text = bar.text || (tall >= 14 ? rows.labels[bar.row] : "");
          if (wide > 40 && text && pen.measureText(text).width + 8 < wide) {
            pen.fillStyle = colour("--on-bar");
            pen.fillText(text, left + 4, y + tall / 2);
          }
        }
      }
      if (marked) {
        pen.fillStyle = colour("--mark");
        pen.fillRect(Math.min(...marked), AXIS - 6, Math.abs(marked[1] - marked[0]), height);
      }
    };

    const barAt = (x, y) => {
      const row = list.find((one) => one.bars && y >= one.y && y < one.y + one.height);
      if (!row) return null;
      const time = timeAt(x);
      const near = ((view[1] - view[0]) / width) * 3;
      let best = null;
      for (const bar of row.bars) {
        if (bar.begin - near > time) break;
        if (bar.end + near >= time) best = bar;
      }
      return best;
    };
    const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    const look = (from, to) => {
      const least = Math.min(end, 10);
      const span = Math.min(end, Math.max(least, to - from));
      const begin = Math.max(0, Math.min(from, end - span));
      view = [begin, begin + span];
      draw();
    };
    const zoom = (factor, around = (view[0] + view[1]) / 2) =>
      look(around - (around - view[0]) * factor, around + (view[1] - around) * factor);
    const pan = (part) => look(view[0] + (view[1] - view[0]) * part, view[1] + (view[1] - view[0]) * part);

    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (marked) { marked[1] = x; draw(); return; }
      const bar = barAt(x, y);
      tip.hidden = !bar;
      canvas.style.cursor = bar && bar.row !== undefined ? "pointer" : "crosshair";
      if (!bar) return;
      tip.textContent = bar.row === undefined ? `${bar.text}: ${duration(bar.end - bar.begin)}`
        : `${rows.labels[bar.row]}: ${STATES[stateOf(bar.row)]}, ${duration(bar.end - bar.begin)}`;
      tip.style.left = `${Math.max(0, Math.min(x + 12, width - tip.offsetWidth))}px`;
      tip.style.top = `${y + 16}px`;
    });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      const [x] = place(event);
      marked = [x, x];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointerup", (event) => {
      const [x, y] = place(event);
      const range = marked;
      marked = null;
      if (range && Math.abs(range[1] - range[0]) > 5) { look(timeAt(Math.min(...range)), timeAt(Math.max(...range))); return; }
      const bar = barAt(x, y);
      if (bar && bar.row !== undefined) showDatum(bar.row);
      draw();
    });
    canvas.addEventListener("pointercancel", () => { marked = null; draw(); });
    canvas.addEventListener("dblclick", () => look(0, end));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      zoom((event.deltaY || event.deltaX) > 0 ? 1.3 : 1 / 1.3, timeAt(place(event)[0]));
    }, { passive: false });

    const button = (label, name, act) => h("button", { type: "button", "aria-label": name, title: name, onclick: act }, label);
    new ResizeObserver(draw).observe(frame);
    document.addEventListener("themed", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const legend = [...PHASES.map((name, i) => [name, PHASE_COLOURS[i]]), ...STATES.map((name, i) => [name, STATE_COLOURS[i]])]
      .filter(([, colour]) => list.some((row) => row.bars && row.bars.some((bar) => bar.colour === colour)));
    return section("timeline", "Timeline",
      h("div", { class: "bar" },
        h("ul", { class: "legend" }, legend.map(([name]) => h("li", { class: name }, name))),
        h("div", { class: "tools", role: "group", "aria-label": "Zoom" },
          button("−", "Zoom out", () => zoom(2)), button("+", "Zoom in", () => zoom(0.5)),
          button("←", "Earlier", () => pan(-0.5)), button("→", "Later", () => pan(0.5)), button("All", "The whole run", () => look(0, end)))),
      frame, h("p", { class: "note" }, "Drag to zoom, click a datum for details."));
  };

  // Durations.

  const makeHistogram = (durations) => {
    const bins = durations.bins;
    const wide = 520, tall = 180, low = 28, high = 18;
    const most = Math.max(...bins.map((bin) => bin[2]));
    const step = wide / bins.length;
    const every = Math.ceil(bins.length / 7);
    return svg("svg", { id: "histogram", viewBox: `0 0 ${wide} ${tall}`, role: "img",
      "aria-label": `Durations of ${count(durations.count, "datum")}: median ${duration(durations.median)}, longest ${duration(durations.longest)}` },
      bins.map(([from, to, value], i) => {
        const height = value === 0 ? 0 : Math.max(1, ((tall - low - high) * value) / most);
        return svg("g", {}, svg("title", {}, `${duration(from)} to ${duration(to)}: ${count(value, "datum")}`),
          svg("rect", { class: "bin", x: i * step + 1, width: Math.max(1, step - 2), y: tall - low - height, height, rx: 2, "data-count": value }),
          value > 0 && step >= 24 && svg("text", { class: "value", x: (i + 0.5) * step, y: tall - low - height - 5 }, number(value)),
          i % every === 0 && svg("text", { class: "tick", x: i * step + 1, y: tall - 8 }, duration(from)));
      }),
      svg("line", { class: "base", x1: 0, x2: wide, y1: tall - low, y2: tall - low }));
  };

  const makeDurations = () => {
    const { durations } = data;
    if (durations.count === 0) return null;
    const FEW = 10;
    const slowest = [];
    for (let row = 0; row < total; row += 1) {
      if (stateOf(row) !== SKIPPED && stateOf(row) !== UNFINISHED) slowest.push(row);
    }
    slowest.sort((a, b) => rows.lengths[b] - rows.lengths[a] || a - b);
    const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, duration(value)));
    return section("durations", "Durations",
      h("dl", { class: "figures" }, figure("median", durations.median), figure("95th percentile", durations.p95), figure("longest", durations.longest), figure("sum", durations.sum)),
      h("div", { class: "halves" },
        h("div", {}, h("h3", {}, "Distribution"), makeHistogram(durations)),
        h("div", {}, h("h3", {}, "Slowest datums"), h("ol", { class: "slowest" }, slowest.slice(0, FEW).map((row) => {
          const bar = h("i", { class: STATES[stateOf(row)], "aria-hidden": "true" });
          bar.style.width = `${(100 * rows.lengths[row]) / Math.max(1, rows.lengths[slowest[0]])}%`;
          return h("li", {}, datumButton(row), h("span", {}, duration(rows.lengths[row])), bar);
        })))));
  };

  // One datum.

  const dialog = h("dialog", { "aria-labelledby": "datum-title" });
  const showDatum = (row) => {
    const state = stateOf(row);
    const pipeline = data.pipelines[rows.pipelines[row]];
    const failure = rows.failures[row] >= 0 ? pipeline.failures[rows.failures[row]] : null;
    const line = (name, ...value) => [h("dt", {}, name), h("dd", {}, ...value)];
    const content = [
      h("h2", { id: "datum-title" }, rows.labels[row]),
      h("dl", { class: "facts" },
        line("state", stateMark(state), failure && `: ${failure.reason}`),
        several && line("pipeline", pipeline.name),
        line("number", number(rows.numbers[row])),
        line("id", h("code", {}, ids[row])),
        state !== SKIPPED && line("began", `${duration(rows.begins[row])} after the run, on worker ${rows.lanes[row] + 1}`),
        state !== SKIPPED && line("took", duration(rows.lengths[row])),
        (state === SUCCEEDED || state === SKIPPED) && line("output", `${bytes(rows.bytes[row])}, ${count(rows.files[row], "file")}`),
        becauseOf(row) && line("ran because", becauseOf(row))),
      failure && failure.log && [h("h3", {}, failure.count > 1 ? "End of the log of the first such failure" : "End of the log"),
        h("pre", { class: "log", tabindex: "0" }, failure.log)],
      h("h3", {}, "Run it again"), command(commandOf(row), "run this datum again"),
      h("h3", {}, "Open a shell where its program starts"), command(commandOf(row, "shell"), "open a shell"),
      h("form", { method: "dialog" }, h("button", {}, "Close"))];
    dialog.replaceChildren(...content.flat(3).filter(Boolean));
    dialog.showModal();
  };
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // The list of datums: only the rows that can be seen exist.

  const ROW = 32;
  const filter = { text: "", state: -1, pipeline: -1, failure: -1, by: "number", down: false };
  let shown = [];
  let refresh = () => {};
  const filterFailure = (pipeline, failure) => {
    Object.assign(filter, { text: "", state: FAILED, pipeline, failure });
    refresh(true);
    document.getElementById("datums").scrollIntoView();
  };

  const makeDatums = () => {
    if (all === 0) return null;
    const columns = [["number", "#"], ["label", "Datum"], ["state", "State"], ["length", "Time"], ["bytes", "Output"]];
    if (several) columns.splice(2, 0, ["pipeline", "Pipeline"]);
    const search = h("input", { type: "search", placeholder: "name or id", "aria-label": "Search datums" });
    const states = h("select", { "aria-label": "State" }, h("option", { value: -1 }, "all states"),
      STATES.map((name, state) => totals[state] > 0 && h("option", { value: state }, name)));
    const pipelines = h("select", { "aria-label": "Pipeline" }, h("option", { value: -1 }, "all pipelines"),
      data.pipelines.map((pipeline, i) => h("option", { value: i }, pipeline.name)));
    const result = h("p", { class: "note", role: "status", id: "shown" });
    const heads = h("div", { role: "row", class: "line head" });
    const space = h("div", { class: "space", role: "presentation" });
    const body = h("div", { class: "body", tabindex: "0", role: "rowgroup", "aria-label": "Datums: arrow keys choose, Enter opens" }, space);
    const grid = h("div", { role: "table", "aria-label": "Datums", class: `grid${several ? " several" : ""}` }, h("div", { role: "rowgroup" }, heads), body);
    const unselected = sum(data.pipelines.map((pipeline) => (pipeline.output ? pipeline.output.unselected : 0)));
    const lower = rows.labels.map((label) => label.toLowerCase());
    let chosen = -1;

    const keyOf = { number: (row) => row, label: (row) => rows.labels[row], pipeline: (row) => rows.pipelines[row],
      state: stateOf, length: (row) => rows.lengths[row], bytes: (row) => rows.bytes[row] };
    const cellOf = { number: (row) => number(rows.numbers[row]), label: (row) => rows.labels[row],
      pipeline: (row) => data.pipelines[rows.pipelines[row]].name, state: (row) => stateMark(stateOf(row)),
      length: (row) => (stateOf(row) === SKIPPED ? "–" : duration(rows.lengths[row])),
      bytes: (row) => (stateOf(row) === SKIPPED || stateOf(row) === SUCCEEDED ? bytes(rows.bytes[row]) : "–") };

    const draw = () => {
      const first = Math.max(0, Math.floor(body.scrollTop / ROW) - 5);
      const last = Math.min(shown.length, Math.ceil((body.scrollTop + body.clientHeight) / ROW) + 5);
      const lines = [];
      for (let i = first; i < last; i += 1) {
        const row = shown[i];
        const line = h("div", { role: "row", class: `line${i === chosen ? " chosen" : ""}`, "aria-rowindex": i + 2, "data-row": row, onclick: () => { chosen = i; draw(); showDatum(row); } },
          columns.map(([name]) => h("div", { role: "cell", class: `of-${name}`, title: name === "label" ? rows.labels[row] : undefined }, cellOf[name](row))));
        line.style.top = `${i * ROW}px`;
        lines.push(line);
      }
      space.replaceChildren(...lines);
    };
    const drawHeads = () => heads.replaceChildren(...columns.map(([name, title]) => h("div", { role: "columnheader", class: `of-${name}`,
      "aria-sort": filter.by === name ? (filter.down ? "descending" : "ascending") : "none" },
    h("button", { type: "button", onclick: () => {
      Object.assign(filter, { down: filter.by === name ? !filter.down : name === "length" || name === "bytes", by: name });
      refresh();
      heads.querySelector(`.of-${name} button`).focus();
    } }, title, filter.by === name ? (filter.down ? " ↓" : " ↑") : ""))));

    refresh = (fromOutside = false) => {
      if (fromOutside) { search.value = filter.text; states.value = filter.state; pipelines.value = filter.pipeline; }
      const text = filter.text.toLowerCase();
      shown = [];
      for (let row = 0; row < total; row += 1) {
        if (filter.state >= 0 && stateOf(row) !== filter.state) continue;
        if (filter.pipeline >= 0 && rows.pipelines[row] !== filter.pipeline) continue;
        if (filter.failure >= 0 && rows.failures[row] !== filter.failure) continue;
        if (text && !lower[row].includes(text) && !ids[row].startsWith(text)) continue;
        shown.push(row);
      }
      const key = keyOf[filter.by];
      const sign = filter.down ? -1 : 1;
      shown.sort((a, b) => { const [x, y] = [key(a), key(b)]; return x === y ? a - b : sign * (x < y ? -1 : 1); });
      chosen = -1;
      space.style.height = `${shown.length * ROW}px`;
      body.style.height = `${Math.min(shown.length, 15) * ROW + 2}px`;
      grid.setAttribute("aria-rowcount", shown.length + 1);
      body.scrollTop = 0;
      result.textContent = `${number(shown.length)} of ${count(all, "datum")}`
        + (unselected > 0 ? `; ${number(unselected)} not selected` : "")
        + (data.neverStarted > 0 ? `; ${number(data.neverStarted)} did not start` : "")
        + (data.unlisted > 0 ? `; ${number(data.unlisted)} that succeeded are counted but not listed` : "");
      drawHeads();
      draw();
    };
    search.addEventListener("input", () => { Object.assign(filter, { text: search.value.trim(), failure: -1 }); refresh(); });
    states.addEventListener("change", () => { Object.assign(filter, { state: Number(states.value), failure: -1 }); refresh(); });
    pipelines.addEventListener("change", () => { Object.assign(filter, { pipeline: Number(pipelines.value), failure: -1 }); refresh(); });
    body.addEventListener("scroll", draw, { passive: true });
    new ResizeObserver(draw).observe(body);
    body.addEventListener("keydown", (event) => {
      const page = Math.floor(body.clientHeight / ROW) - 1;
      const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length };
      if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); showDatum(shown[chosen]); }
      if (!(event.key in steps) || shown.length === 0) return;
      event.preventDefault();
      chosen = Math.max(0, Math.min(shown.length - 1, chosen + steps[event.key]));
      const top = chosen * ROW;
      if (top < body.scrollTop) body.scrollTop = top;
      if (top + ROW > body.scrollTop + body.clientHeight) body.scrollTop = top + ROW - body.clientHeight;
      draw();
      announcer.textContent = `${rows.labels[shown[chosen]]}: ${STATES[stateOf(shown[chosen])]}`;
    });
    return section("datums", "Datums", h("div", { class: "bar filters" }, search, states, several && pipelines), result, grid);
  };

  // What was reused.

  const makeReuse = () => section("reuse", "Reused", scroller("what was reused", table(
    ["Pipeline", "Build", "Datums reused", "Why the others ran"], data.pipelines.map((pipeline, place) => {
      const of = sum(pipeline.counts);
      const building = pipeline.phases.find((phase) => phase.kind === 1);
      const took = duration(phaseTime(pipeline, 1));
      const build = !building ? "none" : pipeline.build && !pipeline.build.because ? `unchanged (${took})`
        : `made in ${took}${pipeline.build ? `: ${pipeline.build.because}` : ""}`;
      const why = new Map();
      for (let row = 0; row < total; row += 1) {
        if (rows.pipelines[row] !== place || stateOf(row) === SKIPPED || !becauseOf(row)) continue;
        why.set(becauseOf(row), (why.get(becauseOf(row)) || 0) + 1);
      }
      const sorted = [...why].sort((a, b) => b[1] - a[1]);
      const MOST = 5;
      return [pipeline.name, build,
        of > 0 ? `${number(pipeline.counts[SKIPPED])} of ${number(of)} (${percent(pipeline.counts[SKIPPED], of)})` : "no datums",
        sorted.length === 0 ? "–" : h("ul", { class: "plain" }, sorted.slice(0, MOST).map(([text, times]) => h("li", {}, `${number(times)} × ${text}`)),
          sorted.length > MOST && h("li", {}, `and ${count(sorted.length - MOST, "more reason")}`))];
    }))));

  // What was built of what.

  const makePackages = () => {
    const builds = new Map();
    for (const pipeline of data.pipelines) {
      if (!pipeline.build) continue;
      const key = pipeline.build.artifact;
      if (!builds.has(key)) builds.set(key, { build: pipeline.build, names: [] });
      builds.get(key).names.push(pipeline.name);
    }
    if (builds.size === 0) return null;
    return section("packages", "Packages", [...builds.values()].map(({ build, names }) => h("article", {},
      h("h3", {}, names.join(", ")),
      h("dl", { class: "facts" }, [["builder", build.builder], ["platform", build.platform], ["program", build.program],
        ["size", build.bytes > 0 ? bytes(build.bytes) : ""], ["artifact", build.artifact]].filter(([, value]) => value)
        .map(([name, value]) => [h("dt", {}, name), h("dd", {}, name === "artifact" ? h("code", {}, value) : value)])),
      build.packages.length > 0 ? h("ul", { class: "packages", "aria-label": "packages" }, build.packages.map(([name, version]) =>
        h("li", {}, h("span", {}, name), h("code", {}, version)))) : h("p", { class: "note" }, "No packages."))));
  };

  const sections = [makeFailures(), makePipelines(), makeTimeline(), makeDurations(), makeDatums(), makeReuse(), makePackages(), makeWarnings()].filter(Boolean);
  page.append(h("a", { class: "skip", href: "#content" }, "Skip to the content"), makeHeader(),
    h("nav", { "aria-label": "Sections" }, sections.map((one) => h("a", { href: `#${one.id}` }, one.querySelector("h2").textContent))),
    h("div", { id: "content" }, makeTiles(), command(data.command, "the command of this run"), sections),
    h("footer", {}, `pachbuild ${data.version}`), announcer, dialog);
  refresh();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  document.documentElement.setAttribute("data-ready", "");
})();
