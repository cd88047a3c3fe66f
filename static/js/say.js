// “Say it”: reads the sentence next to the button aloud with the browser's voice.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.('button[data-action="say"]');
  if (!button || !("speechSynthesis" in window)) return;
  speechSynthesis.cancel();
  const sentence = button.parentElement.querySelector("[data-say]").textContent;
  const speech = new SpeechSynthesisUtterance(sentence.replaceAll("−", "minus "));
  speech.lang = "en";
  speechSynthesis.speak(speech);
});
