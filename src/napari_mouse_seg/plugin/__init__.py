"""The napari plugin: the only package that imports napari. Its modules are named by the manifest."""
