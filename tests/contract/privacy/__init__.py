"""Who is seen in which view, at two query services of their own."""
