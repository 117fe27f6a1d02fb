"""The scheme of green power: settlement, green electricity certificates and the certificate of consumption."""
