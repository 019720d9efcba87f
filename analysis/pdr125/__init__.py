"""UNI/PdR 125:2022 as data and arithmetic: evidence earns points, perception stands beside them and never enters."""
