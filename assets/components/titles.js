// Lists of titles, each a button that tells the server its number.

export default function ({ data, parentElement, setTriggerValue }) {
  const place = (parentElement.querySelector(".hg-title-lists") ?? parentElement.appendChild(document.createElement("div")));
  place.className = "hg-title-lists";
  if (place.shown !== data) {
    place.shown = data;
    place.innerHTML = data;
  }
  place.onclick = (event) => {
    const button = event.target.closest("button[data-number]");
    if (button) setTriggerValue("opened", Number(button.dataset.number));
  };
}
