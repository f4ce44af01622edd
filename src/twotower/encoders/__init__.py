"""Pretrained text encoders behind one Protocol, run by ONNX Runtime offline and online alike."""
