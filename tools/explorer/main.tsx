// The explorer begins here, in a browser: a page that a node serves, and that holds what the node says against the genesis.

import { render } from "preact";
import { App } from "./app.js";
import { storedLanguage, storedTheme, useThemeOf } from "./preferences.js";
import { chooseLanguage } from "./texts.js";

chooseLanguage(storedLanguage());
useThemeOf(storedTheme());
render(<App />, document.getElementById("explorer")!);
