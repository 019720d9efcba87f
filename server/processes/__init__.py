"""What runs apart from the web process, or by the clock: releases, uploads, papers, jobs."""
