// The API's documentation, drawn by Swagger UI.
const place = document.getElementById("swagger");
window.SwaggerUIBundle({ url: place.dataset.url, domNode: place, deepLinking: true, validatorUrl: null });
