/** Switches between the system's colours, light and dark, and remembers the choice. */
const CHOICES = /** @type {const} */ (["auto", "light", "dark"]);
const YEAR_S = 31_536_000;

export class ThemeToggle {
  /** @param {HTMLButtonElement} button */
  constructor(button) {
    this.button = button;
    this.label = button.querySelector("[data-theme-label]");
    button.hidden = false;
    button.addEventListener("click", () => this.choose(CHOICES[(CHOICES.indexOf(this.current) + 1) % CHOICES.length]));
    this.describe();
  }

  /** @returns {typeof CHOICES[number]} */
  get current() {
    const chosen = document.documentElement.dataset.theme;
    return chosen === "light" || chosen === "dark" ? chosen : "auto";
  }

  /** @param {typeof CHOICES[number]} choice */
  choose(choice) {
    if (choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    // The cookie lets the server draw the first frame in the right colours; the other entry is where Django's admin looks.
    document.cookie = `aniworld_theme=${choice}; path=/; max-age=${YEAR_S}; samesite=lax`;
    try {
      localStorage.setItem("theme", choice);
    } catch {
      // Storage may be switched off; the cookie is enough.
    }
    this.describe();
  }

  describe() {
    const text = { auto: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" }[this.current];
    this.button.title = text;
    if (this.label) this.label.textContent = text;
  }
}
