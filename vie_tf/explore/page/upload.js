// Search with a video of the visitor, where a server offers it by a mark in the head.  A
// page from the disk has no server, so it has none of this.
const uploadMark = document.querySelector('meta[name="vie-tf-upload"]');
const query = { file: null, answer: null, fault: "", asking: null };

if (uploadMark) {
  const button = element("button", "", "Search with a video");
  Object.assign(button, { type: "button", id: "tab-query" });
  button.setAttribute("aria-controls", "view");
  button.addEventListener("click", () => { showTab("query"); byId("upload").focus(); });
  byId("find").after(button);
  VIEWS.query = showQuery;
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) ask(event.dataTransfer.files[0]);
  });
}

function showQuery() {
  byId("tab-groups").tabIndex = 0; // None of the tabs is chosen, and keys have to reach one.
  const box = element("div", "video"), form = element("div", "upload"), input = element("input"), label = element("label", "", "Find the videos nearest to one of yours");
  Object.assign(input, { type: "file", id: "upload" });
  label.htmlFor = "upload";
  input.addEventListener("change", () => { if (input.files.length) ask(input.files[0]); });
  const most = element("p", "note", `A video of up to ${megabytes(uploadMark.content)}, or drop one anywhere on the page. It is searched with and then removed.`);
  most.id = "upload-note";
  input.setAttribute("aria-describedby", most.id);
  form.append(label, input, most);
  box.append(form);
  if (query.file) box.append(element("h2", "", query.file.name));
  if (query.asking) {
    const stopping = element("button", "back", "Stop");
    stopping.type = "button";
    stopping.addEventListener("click", () => query.asking.abort());
    box.append(element("p", "note", "It is uploaded, decoded and looked up."), stopping);
  }
  if (query.fault) box.append(element("p", "fault", query.fault));
  if (query.answer) showAnswer(box, query.answer);
  return [box];
}

function showAnswer(box, { strip, found, secs }) {
  const film = element("div", "film"), { width, height } = data.strips, [wide, high] = strip.size;
  for (let frame = 0; frame < strip.frames; frame++) {
    const one = element("div", "thumb");
    one.style.aspectRatio = `${wide} / ${high}`;
    place(one, `data:image/jpeg;base64,${strip.jpeg}`, frame * width + (width - wide) / 2, (height - high) / 2, wide, high, strip.frames * width, height);
    film.append(one);
  }
  box.append(film);
  const list = element("ul", "cards");
  found.forEach(({ video, percentile, span }) => {
    const lines = [closer(percentile), labelOf(video) || trimmed(shortName(video))];
    if (span) lines.splice(1, 0, `${span[0].toFixed(1)} to ${span[1].toFixed(1)} s`);
    list.append(card(video, lines));
  });
  box.append(element("h3", "", "Nearest videos"), element("p", "note", `${FARTHER} It took ${seconds(secs)}.`), list);
  fade = new Set(found.map((one) => one.video));
}

const megabytes = (bytes) => `${Math.round(bytes / 1e5) / 10} MB`;

async function ask(file) {
  query.asking?.abort();
  const asking = new AbortController();
  Object.assign(query, { file, answer: null, fault: "", asking });
  refresh("It is looked up.");
  try {
    if (file.size > Number(uploadMark.content)) throw new Error(`${megabytes(file.size)} are more than the ${megabytes(uploadMark.content)} that the server takes`);
    if (!file.size) throw new Error("the file is empty");
    // The bytes alone: the server learns no name.
    const answered = await fetch("query", { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" }, signal: asking.signal });
    const content = await answered.json();
    if (!answered.ok) throw new Error(content.error);
    query.answer = content;
  } catch (error) {
    if (query.asking !== asking) return; // Another video was chosen meanwhile.
    if (asking.signal.aborted) query.file = null;
    else if (error instanceof TypeError) query.fault = "The server did not answer: it may have been stopped.";
    else query.fault = `It cannot be searched with: ${error.message}.`;
  }
  if (query.asking !== asking) return;
  query.asking = null;
  const first = query.answer?.found[0];
  refresh(query.fault || (first ? said(first) : "Stopped."));
}

function refresh(news) {
  showTab("query");
  byId("upload").focus();
  byId("live").textContent = news;
}
