-- After a rebuild they are counted once, and from then on with each certificate.
INSERT INTO expiries SELECT substr(not_after, 1, 10), provider, validity_days, count(*) FROM certificates WHERE +phase = 'issued' AND not_after > '' GROUP BY 1, 2, 3;
CREATE TRIGGER expiries_new AFTER INSERT ON certificates WHEN NEW.phase = 'issued' AND NEW.not_after > '' BEGIN
  INSERT INTO expiries VALUES (substr(NEW.not_after, 1, 10), NEW.provider, NEW.validity_days, 1) ON CONFLICT DO UPDATE SET certificates = certificates + 1;
END;
CREATE TRIGGER expiries_changed AFTER UPDATE ON certificates WHEN (OLD.phase, OLD.not_after, OLD.validity_days) <> (NEW.phase, NEW.not_after, NEW.validity_days) BEGIN
  UPDATE expiries SET certificates = certificates - 1
    WHERE OLD.phase = 'issued' AND day = substr(OLD.not_after, 1, 10) AND provider = OLD.provider AND validity_days = OLD.validity_days;
  DELETE FROM expiries WHERE day = substr(OLD.not_after, 1, 10) AND provider = OLD.provider AND validity_days = OLD.validity_days AND certificates = 0;
  INSERT INTO expiries SELECT substr(NEW.not_after, 1, 10), NEW.provider, NEW.validity_days, 1 WHERE NEW.phase = 'issued' AND NEW.not_after > ''
    ON CONFLICT DO UPDATE SET certificates = certificates + 1;
END;
