// Pictures by click, drop, paste and camera, as in the explorer.
import "../upload.js";
import "../camera.js";
