"""How methods are named in a comparison, for help texts; nothing else is loaded for it."""

SPECS = """\
A method is given as
  NAME                        a registered method ('napari-mpseg methods' lists them): mp-vat, otsu, default
  FOLDER                      a trained network or a forest, or a cross-validation ('napari-mpseg crossval'),
                              of which each image is seen by the model that was not trained on it
  FILE.json                   a method file, such as colour ranges saved by mp-act
  METHOD:OPTION=VALUE,...     one of these with options ('napari-mpseg methods NAME'), and beside them
                              background=WAY:RADIUS, threshold=P, tta=LIST as for 'segment'
  LABEL=METHOD                any of these under a heading of your own
Some methods must be given more: mp-act:ranges=hsb:hue=240-20,brightness=100-255. Those that need points or strokes for
every image (region-growing, pixel-forest) are compared by their labels, or as a saved forest."""
