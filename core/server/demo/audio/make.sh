#!/bin/sh
# Makes the demo's audio again: needs espeak-ng and sox (Debian packages of these names).
# The WAV files are kept in the repository; this is only for whoever changes a text or the melody.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# say LANGUAGE TEXT: 8 kHz mono mu-law, half a second of silence before the words.
say() {
  espeak-ng -v "$1" -s 150 -w "$work/say.wav" "$2"
  sox "$work/say.wav" -r 8000 -c 1 -e mu-law "welcome.$1.wav" gain -n -6 pad 0.3 0.3
}
say en 'Welcome to Plugboard. For sales, press one. If you know the extension, dial it now.'
say de 'Willkommen bei Plugboard. Für den Vertrieb drücken Sie die eins. Wenn Sie die Durchwahl kennen, wählen Sie sie jetzt.'
say ru 'Добро пожаловать в Плагборд. Чтобы связаться с отделом продаж, нажмите один. Если вы знаете внутренний номер, наберите его.'

# A melody of our own: two bars of arpeggios for each of four chords, plucked strings.
parts=
n=0
for chord in 'A3 C4 E4 A4 E4 C4' 'F3 A3 C4 F4 C4 A3' 'C4 E4 G4 C5 G4 E4' 'G3 B3 D4 G4 D4 B3'; do
  for round in 1 2; do
    for note in $chord; do
      n=$((n + 1))
      part="$work/$(printf %03d "$n").wav"
      sox -n -r 8000 -c 1 -b 16 "$part" synth 0.4 pluck "$note" fade q 0.005 0.4 0.06 gain -9
      parts="$parts $part"
    done
  done
done
# shellcheck disable=SC2086 # the list is split on purpose, its names have no blanks
sox $parts -e mu-law music.wav
