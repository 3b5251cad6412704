/** Where a page is passed on to, each by an address of its own: nothing of anybody else's is loaded before it is followed. */
export function shareLinks({ title, url }: { title: string; url: string }): { label: string; href: string }[] {
  const query = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
  return [
    // Mail programs take a plus for itself.
    { label: "E-mail", href: `mailto:?subject=${encodeURIComponent(title)}&body=${encodeURIComponent(url)}` },
    { label: "X", href: `https://x.com/intent/post?${query({ text: title, url })}` },
    { label: "Facebook", href: `https://www.facebook.com/sharer/sharer.php?${query({ u: url })}` },
    { label: "Reddit", href: `https://www.reddit.com/submit?${query({ url, title })}` },
  ];
}
