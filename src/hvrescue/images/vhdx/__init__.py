"""VHDX and AVHDX, after MS-VHDX."""
