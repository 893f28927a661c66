"""The loop, one verb a module: watch, judge, survey, propose, rebuild, redeploy, prove, audit; `cycle` strings them."""
