// The Lab's islands: numbers come from the server; here is what a server cannot do.
import "../actions.js";
import "../say.js";
import "./scan.js";
import "./photo.js";
import "./board.js";
import "./cells.js";
import "./cards.js";
import "./learn.js";
