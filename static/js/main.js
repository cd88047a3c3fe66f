// The explorer's scripts: each does one thing a server cannot do.
import "./navigation.js";
import "./river.js";
import "./lazy.js";
import "./selection.js";
import "./unit.js";
import "./scan.js";
import "./factors.js";
import "./deep.js";
import "./cut/main.js";
import "./upload.js";
import "./camera.js";
import "./keys.js";
import "./actions.js";
import "./say.js";
import "./synthesis.js";
