// Links to a message of this workspace: they lead there without leaving the page.

/** `{channel, ts, thread}` for the address of a message here, else null. */
export function placeOf(address) {
  const { origin, pathname, searchParams } = new URL(address);
  const found = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(pathname);
  if (origin !== location.origin || found === null) return null;
  const [, channel, seconds, fraction] = found;
  return { channel, ts: `${seconds}.${fraction}`, thread: searchParams.get("thread_ts") };
}

/** Calls `go(place)` instead of opening another tab, unless another tab is asked for. */
export function followLinks(go) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const place = link === null ? null : placeOf(link.href);
    if (place === null || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(place);
  });
}
