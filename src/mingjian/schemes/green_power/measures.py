"""The arithmetic of green power. Rows are in Wh; what is printed is in kWh, t and yuan, rounded once."""

from mingjian import carry, coalesce, least, split, total, where

# -- settlement and certificates -----------------------------------------------------------------------------------


def settlement(contract, generation, use):
    fed_in = _fed_in(generation).sum()
    from_plant = split(fed_in, over=contract.plant, weight=contract.contracted)
    from_use = split(_used(use).sum(), over=contract.consumer, weight=contract.contracted)
    return {
        "from_plant": from_plant,
        "from_use": from_use,
        "settled": least(contract.contracted, from_plant, from_use),
    }


def gec(settlement, gec_size, eligible):
    earning = settlement.settled * eligible[settlement.technology]
    whole, rest = carry(earning, unit=gec_size)
    return {"earning": earning, "certificates": whole, "certified": whole * gec_size, "remainder": rest}


# -- a consumer in a year ------------------------------------------------------------------------------------------


def green_energy(settlement):
    return _kwh(settlement.settled.sum())


def total_use(use):
    return _kwh(_used(use).sum())


def unread(use):
    return use.count(where=_used(use).is_null())


def unsettled(settlement):
    return settlement.count(where=settlement.settled.is_null())


def green_share(green_energy, total_use, unsettled, unread):
    # Of a year with a reading missing nobody can say a share; a denominator of zero has no value, and says so.
    return 100 * green_energy / where((unsettled == 0) & (unread == 0), total_use, 0)


def gec_count(gec):
    return gec.certificates.sum()


def gec_rest(gec):
    return _rest(gec)


def avoided_co2(green_energy, grid_factor):
    return _tonnes(green_energy * grid_factor)


def location_based(total_use, grid_factor):
    return _tonnes(total_use * grid_factor)


def market_based(total_use, green_energy, residual_factor):
    # What was settled as green counts as zero; without a contract all use takes the residual factor.
    return _tonnes((total_use - coalesce(green_energy, 0)) * residual_factor)


def energy_cost(settlement):
    return _yuan((settlement.settled * settlement.energy_price).sum())


def environmental_cost(settlement):
    return _yuan((settlement.settled * settlement.environmental_price).sum())


def green_by_plant(settlement):
    return _kwh(settlement.settled.sum())


def green_by_technology(settlement):
    return _kwh(settlement.settled.sum())


def green_by_month(settlement):
    return _kwh(settlement.settled.sum())


def use_by_month(use):
    return _kwh(_used(use).sum())


def gec_by_month(gec):
    return gec.certificates.sum()


# -- a consumer in a month -----------------------------------------------------------------------------------------


def month_green(settlement):
    return _kwh(settlement.settled.sum())


def month_share(settlement, use):
    missing = settlement.count(where=settlement.settled.is_null()) + use.count(where=_used(use).is_null())
    return 100 * settlement.settled.sum() / where(missing == 0, _used(use).sum(), 0)


def month_gec(gec):
    return gec.certificates.sum()


def month_rest(gec):
    return _rest(gec)


# -- a plant in a year ---------------------------------------------------------------------------------------------


def generated(generation):
    return _kwh(_fed_in(generation).sum())


def sold(settlement):
    return _kwh(settlement.settled.sum())


def unsold(generated, sold):
    return generated - coalesce(sold, 0)


# -- what several of them share ------------------------------------------------------------------------------------


def _used(use):
    """What a meter counted in a month: its reading, or the sum of its readings every 15 minutes if none of them is missing."""
    return coalesce(use.used, total(use.readings))


def _fed_in(generation):
    """The same of a plant's meter, without what is paid under the price mechanism."""
    return coalesce(generation.on_grid, total(generation.readings)) - coalesce(generation.mechanism, 0)


def _rest(gec):
    """All that earned certificates so far, less what was certified: the remainders of all contracts together."""
    return _kwh((gec.earning - gec.certified).sum())


def _kwh(wh):
    return wh / 1000


def _tonnes(kg):
    return kg / 1000


def _yuan(fen_per_mwh_times_wh):
    return fen_per_mwh_times_wh / 1_000_000 / 100
