// The Lab's scripts: numbers come from the server; this does what a server cannot do.
import "../actions.js";
import "../say.js";
import "./scan.js";
import "./photo.js";
import "./board.js";
import "./cells.js";
import "./cards.js";
import "../lib/jobs.js";
