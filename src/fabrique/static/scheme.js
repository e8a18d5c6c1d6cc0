// The design system keeps the first colours it saw in localStorage and prefers them to the page's own: tell it the reader's choice.
try {
  localStorage.setItem("scheme", document.documentElement.dataset.frScheme);
} catch {
  // A browser that keeps nothing has nothing to be told.
}
