// “Say it”: the sentence beside the button, aloud, by the browser's own voice.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.('button[data-action="say"]');
  if (!button || !("speechSynthesis" in window)) return;
  speechSynthesis.cancel();
  const sentence = button.parentElement.querySelector("[data-say]").textContent;
  const speech = new SpeechSynthesisUtterance(sentence.replaceAll("−", "minus "));
  speech.lang = "en";
  speechSynthesis.speak(speech);
});
