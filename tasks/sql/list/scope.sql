-- What the views of the list look at. Set before a list is compiled: a view takes no parameters.
SET VARIABLE list_scope = {
    'campaign': $campaign, 'villages': $villages::VARCHAR[], 'first': $first
};
