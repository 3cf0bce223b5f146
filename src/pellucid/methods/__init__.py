"""The methods, one folder for each chapter of the field, one file for each method."""
