"""What pages share: navigation, remembered choices, cached doors to core, and the parts they are built of."""
