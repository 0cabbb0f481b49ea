"""From specs to written bundles: discover, resolve, evaluate, render, write."""
