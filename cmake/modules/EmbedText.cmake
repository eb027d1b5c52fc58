# Writes the text of a file as a C++ string literal: cmake -DINPUT=x -DOUTPUT=y -P EmbedText.cmake
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "R\"text(${text})text\"\n")
