import "../actions.js";
import "./sliders.js";
import "./player.js";
import "./form.js";
import "./wipe.js";
import "./keys.js";
import "./sticker.js";
import "../lib/jobs.js";
