# Writes OUTPUT, a C source with the bytes of the packs (pipeline/pack.h):
#
#   cmake -DOUTPUT=packs.c -DPACKS=a.yaml,b.yaml -P Embed.cmake
#
# A pack is called as its file is, without the suffix; their order is that of PACKS.
string(REPLACE "," ";" files "${PACKS}")
set(arrays "")
set(rows "")
foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    file(READ ${file} bytes HEX)
    string(LENGTH "${bytes}" digits)
    math(EXPR length "${digits} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND arrays "static const unsigned char ${identifier}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", {(const char *)${identifier}, ${length}}},\n")
endforeach()
set(text "#include \"pipeline/pack.h\"\n\n${arrays}\nconst struct pack packs[] = {\n${rows}    {0},\n};\n")
file(WRITE ${OUTPUT} "${text}")
