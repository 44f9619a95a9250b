TRUNCATE landed;
