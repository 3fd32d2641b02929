"""Being there while a network runs: taking and replacing values, bending gradients."""
